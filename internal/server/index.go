package server

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// index is a snapshot as it is shown, in the order in which it is listed. It is made once per snapshot and then only read.
type index struct {
	snapshot  *controller.Snapshot
	unmatched []backend.Ref // as the store gave them
	revision  uint64        // counts the indexes that show something else than the one before
	services  []listed      // by key
	counts    map[backend.Verdict]int
	total     int // Services; one with findings of two types is listed twice
	types     []string
	toolsets  func() []view.Toolset // by name
}

// listed is one line of the list of Services. Of an unmatched one only the name is known.
type listed struct {
	key
	shown *view.Service // nil: unmatched
}

// cached is the last index.
type cached struct {
	mu   sync.Mutex
	last *index
}

// index is what is known now. There is a snapshot by then.
func (a *API) index() *index {
	s, unmatched := a.o.State.Snapshot(), a.o.Services.Others()
	c := &a.known
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && c.last.snapshot == s && sameList(c.last.unmatched, unmatched) {
		return c.last
	}
	next := newIndex(s, unmatched, a.o.Catalog)
	if c.last != nil {
		if next.revision = c.last.revision; !sameShown(c.last, next) {
			next.revision++
		}
	}
	c.last = next
	return next
}

// sameList reports whether two lists are one: the store replaces its list, and never changes it.
func sameList(a, b []backend.Ref) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func newIndex(s *controller.Snapshot, unmatched []backend.Ref, types *catalog.Catalog) *index {
	i := &index{
		snapshot: s, unmatched: unmatched, services: make([]listed, 0, len(s.Findings)+len(unmatched)),
		counts: map[backend.Verdict]int{}, toolsets: sync.OnceValue(func() []view.Toolset { return view.Toolsets(s.Document) }),
	}
	seen, found := map[backend.Ref]bool{}, map[string]bool{}
	for _, f := range s.Findings {
		shown := view.NewService(f, types)
		i.services = append(i.services, listed{key{rank(f.Verdict), f.Ref, f.Type}, &shown})
		i.counts[f.Verdict]++
		seen[f.Ref] = true
		if f.Type != "" {
			found[f.Type] = true
		}
	}
	i.total = len(seen)
	for _, ref := range unmatched {
		if !seen[ref] { // it may have matched something since the snapshot, or before
			i.services = append(i.services, listed{key: key{rankUnmatched, ref, ""}})
			i.counts[backend.Rejected]++
			i.total++
		}
	}
	slices.SortFunc(i.services, func(a, b listed) int { return a.compare(b.key) })
	i.types = slices.Sorted(maps.Keys(found))
	return i
}

// rankUnmatched comes after all verdicts.
var rankUnmatched = len(backend.Verdicts)

func rank(v backend.Verdict) int {
	if i := slices.Index(backend.Verdicts, v); i >= 0 {
		return i
	}
	return rankUnmatched - 1
}

// key is the place of a Service in the list.
type key struct {
	rank int
	backend.Ref
	typ string
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.rank, o.rank), k.Ref.Compare(o.Ref), strings.Compare(k.typ, o.typ))
}

// sameShown reports whether two snapshots show people the same. The time of a probe makes no difference, nor do unmatched Services.
func sameShown(a, b *index) bool {
	x, y := a.snapshot, b.snapshot
	return x.Leading == y.Leading && x.DryRun == y.DryRun && x.Discovered == y.Discovered &&
		message(x.Err) == message(y.Err) && message(x.Source) == message(y.Source) && message(x.Overrides) == message(y.Overrides) &&
		slices.Equal(x.Frozen, y.Frozen) && maps.Equal(x.Keys, y.Keys) &&
		x.Output.Version == y.Output.Version && maps.Equal(x.Output.Keys, y.Output.Keys) &&
		slices.EqualFunc(a.matched(), b.matched(), func(e, f listed) bool { return sameService(*e.shown, *f.shown) })
}

func sameService(a, b view.Service) bool {
	if a.LastCheck != nil && b.LastCheck != nil {
		a.LastCheck, b.LastCheck = &time.Time{}, &time.Time{}
	}
	return reflect.DeepEqual(a, b)
}

// matched are the Services with a finding, which come first.
func (i *index) matched() []listed {
	n, _ := slices.BinarySearchFunc(i.services, key{rank: rankUnmatched}, func(l listed, k key) int { return l.compare(k) })
	return i.services[:n]
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
