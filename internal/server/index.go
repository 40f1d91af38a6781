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

// index is a snapshot in the shape and order in which the API lists it. It is made once per snapshot and never changed.
type index struct {
	snapshot  *controller.Snapshot
	unmatched []backend.Ref // from the store
	revision  uint64        // increases when an index differs visibly from the previous one
	services  []listed      // by key
	counts    map[backend.Verdict]int
	total     int // Services; one with findings of two types is listed twice
	types     []string
	toolsets  func() []view.Toolset // by name
}

// listed is one line of the list of Services. Only the name of an unmatched Service is known.
type listed struct {
	key
	shown *view.Service // nil: unmatched
}

// index returns the index of the current snapshot and unmatched Services. It must not be called before the first
// snapshot.
func (a *API) index() *index {
	a.indexing.Lock()
	defer a.indexing.Unlock()
	s, unmatched := a.o.State.Snapshot(), a.o.Services.Others() // under the lock, so that none replaces a newer one
	last := a.last
	if last != nil && last.snapshot == s && sameList(last.unmatched, unmatched) {
		return last
	}
	a.last = newIndex(s, unmatched, a.o.Catalog)
	if last != nil {
		if a.last.revision = last.revision; !sameShown(last, a.last) {
			a.last.revision++
		}
	}
	return a.last
}

// sameList reports whether a and b are the same slice. The store replaces its list and never changes it.
func sameList(a, b []backend.Ref) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func newIndex(s *controller.Snapshot, unmatched []backend.Ref, types *catalog.Catalog) *index {
	i := &index{
		snapshot: s, unmatched: unmatched, services: make([]listed, 0, len(s.Findings)+len(unmatched)),
		counts:   map[backend.Verdict]int{},
		toolsets: sync.OnceValue(func() []view.Toolset { return view.Toolsets(s.Document) }),
	}
	seen, found := map[backend.Ref]bool{}, map[string]bool{}
	for _, f := range s.Findings {
		shown := view.NewService(f, types)
		verdict := slices.Index(backend.Verdicts, f.Verdict)
		i.services = append(i.services, listed{key{verdict, f.Ref, f.Type, shown.Instance}, &shown})
		i.counts[f.Verdict]++
		seen[f.Ref] = true
		if f.Type != "" {
			found[f.Type] = true
		}
	}
	i.total = len(seen)
	for _, ref := range unmatched {
		if !seen[ref] { // the store may be newer or older than the snapshot
			i.services = append(i.services, listed{key: key{Rank: len(backend.Verdicts), Ref: ref}})
			i.counts[backend.Rejected]++
			i.total++
		}
	}
	slices.SortFunc(i.services, func(a, b listed) int { return a.compare(b.key) })
	i.types = slices.AppendSeq([]string{}, maps.Keys(found)) // not null in JSON
	slices.Sort(i.types)
	return i
}

// key is the sort key of a Service or toolset in its list. Only the instance differs between the tenants of a gateway.
type key struct {
	Rank int // of the verdict
	backend.Ref
	Type, Instance string
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.Rank, o.Rank), k.Ref.Compare(o.Ref), strings.Compare(k.Type, o.Type),
		strings.Compare(k.Instance, o.Instance))
}

// sameShown reports whether two snapshots look the same to a user. It ignores probe times and unmatched Services.
func sameShown(a, b *index) bool {
	x, y := a.snapshot, b.snapshot
	return x.Leading == y.Leading && x.DryRun == y.DryRun && x.Discovered == y.Discovered &&
		message(x.Err) == message(y.Err) && message(x.Source) == message(y.Source) &&
		message(x.Overrides) == message(y.Overrides) &&
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

// matched returns the Services that have a finding. They come first in the list.
func (i *index) matched() []listed { return i.services[:len(i.snapshot.Findings)] }

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
