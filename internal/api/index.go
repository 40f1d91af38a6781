package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// index is a snapshot in the order in which it is asked for. It is made once and then only read.
type index struct {
	snapshot *controller.Snapshot
	revision uint64   // counts snapshots that say something else than the one before
	findings []*entry // by verdict, namespace, name and type
	services int      // how many Services they are about
	counts   map[backend.Verdict]int
	types    []string
	toolsets func() []view.Toolset // by name
	texts    func() []string       // of the findings, for a search
}

// entry is a finding, and how it is shown once somebody has asked for it.
type entry struct {
	*backend.Finding
	key   key
	shown atomic.Pointer[[]byte]
}

// json is the finding as view.Service. To put it into words and into JSON is most of the work for a page.
func (e *entry) json(types *catalog.Catalog) ([]byte, error) {
	if shown := e.shown.Load(); shown != nil {
		return *shown, nil
	}
	text, err := json.Marshal(view.NewService(e.Finding, types))
	if err != nil {
		return nil, fmt.Errorf("encode Service %s: %w", e.Ref, err)
	}
	e.shown.Store(&text)
	return text, nil
}

// world is an index with the Services of which only the name is kept; of those that findings tell of there is nothing in others.
type world struct {
	*index
	given  []backend.Ref // what others was made from
	others []backend.Ref
}

// cached is the world as it was last asked for.
type cached struct {
	mu   sync.Mutex
	last *world
}

// world is what is known now. There is a snapshot by then.
func (a *API) world() *world {
	s, others := a.o.State.Snapshot(), a.o.Services.Others()
	c := &a.known
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && c.last.snapshot == s && same(c.last.given, others) {
		return c.last
	}
	w := &world{given: others}
	if c.last != nil && c.last.snapshot == s {
		w.index = c.last.index
	} else {
		w.index = newIndex(s)
		if c.last != nil {
			w.revision = c.last.revision
			if !equal(c.last.index, w.index) {
				w.revision++
			}
			w.inherit(c.last.index)
		}
	}
	w.others = w.without(others)
	c.last = w
	return w
}

// same says that two lists are one and the same.
func same(a, b []backend.Ref) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func newIndex(s *controller.Snapshot) *index {
	i := &index{snapshot: s, findings: make([]*entry, len(s.Findings)), counts: map[backend.Verdict]int{}}
	types, refs := map[string]bool{}, make(map[backend.Ref]struct{}, len(s.Findings))
	for n, f := range s.Findings {
		i.findings[n] = &entry{Finding: f, key: key{rank(f.Verdict), f.Ref, f.Type}}
		i.counts[f.Verdict]++
		refs[f.Ref] = struct{}{}
		if f.Type != "" {
			types[f.Type] = true
		}
	}
	slices.SortFunc(i.findings, func(a, b *entry) int { return a.key.compare(b.key) })
	i.services = len(refs)
	i.types = slices.Sorted(maps.Keys(types))
	i.toolsets = sync.OnceValue(func() []view.Toolset { return view.Toolsets(s.Document) })
	i.texts = sync.OnceValue(func() []string { return texts(i.findings) })
	return i
}

// inherit takes over how findings were shown that are as they were.
func (i *index) inherit(old *index) {
	n := 0
	for _, e := range i.findings {
		for n < len(old.findings) && old.findings[n].key.compare(e.key) < 0 {
			n++
		}
		if n == len(old.findings) {
			return
		}
		o := old.findings[n]
		if shown := o.shown.Load(); shown != nil && o.Observation.At.Equal(e.Observation.At) && equalFinding(o.Finding, e.Finding) {
			e.shown.Store(shown)
		}
	}
}

// without are the others that no finding is about: a Service may have become something since the snapshot.
func (i *index) without(others []backend.Ref) []backend.Ref {
	both := map[backend.Ref]bool{}
	for _, f := range i.findings {
		if _, found := slices.BinarySearchFunc(others, f.Ref, backend.Ref.Compare); found {
			both[f.Ref] = true
		}
	}
	if len(both) == 0 {
		return others
	}
	rest := make([]backend.Ref, 0, len(others))
	for _, ref := range others {
		if !both[ref] {
			rest = append(rest, ref)
		}
	}
	return rest
}

// texts are what a search looks at, in lower case.
func texts(findings []*entry) []string {
	list := make([]string, len(findings))
	for i, f := range findings {
		instance := ""
		if f.Candidate != nil {
			instance = f.Candidate.Instance
		}
		list[i] = strings.ToLower(strings.Join([]string{f.Ref.String(), f.Type, instance, f.Endpoint(), f.Observation.Version}, "\n"))
	}
	return list
}

// rank of a verdict; Services that are nothing at all come after all of them.
var rankOther = len(backend.Verdicts)

func rank(v backend.Verdict) int {
	if i := slices.Index(backend.Verdicts, v); i >= 0 {
		return i
	}
	return rankOther - 1
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

// equal says that two snapshots tell people the same; when a backend was asked last is no difference.
func equal(a, b *index) bool {
	x, y := a.snapshot, b.snapshot
	return x.Leading == y.Leading && x.DryRun == y.DryRun && x.Discovered == y.Discovered &&
		message(x.Err) == message(y.Err) && message(x.Source) == message(y.Source) && message(x.Overrides) == message(y.Overrides) &&
		slices.Equal(x.Frozen, y.Frozen) && maps.Equal(x.Keys, y.Keys) &&
		x.Output.Version == y.Output.Version && maps.Equal(x.Output.Keys, y.Output.Keys) &&
		slices.EqualFunc(a.findings, b.findings, func(e, f *entry) bool { return equalFinding(e.Finding, f.Finding) })
}

func equalFinding(a, b *backend.Finding) bool {
	p, q := &a.Observation, &b.Observation
	return a == b || a.Ref == b.Ref && a.Type == b.Type && a.Verdict == b.Verdict && a.Reason == b.Reason && a.Winner == b.Winner &&
		a.Primary == b.Primary && maps.Equal(a.Credentials, b.Credentials) &&
		p.Outcome == q.Outcome && p.Cause == q.Cause && p.Detail == q.Detail && p.Scheme == q.Scheme && p.Path == q.Path &&
		p.Version == q.Version && p.At.IsZero() == q.At.IsZero() &&
		(a.Service == b.Service || reflect.DeepEqual(a.Service, b.Service)) &&
		(a.Candidate == b.Candidate || reflect.DeepEqual(a.Candidate, b.Candidate))
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
