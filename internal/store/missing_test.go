package store

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Of a Service that is nothing no EndpointSlice is kept. Once it is something, those that were not kept are read, and it waits
// until they are there.
func TestSlicesOfWhatBecomesSomething(t *testing.T) {
	t.Attr("req", "DTS-PERF-4")
	w := marked()
	addresses := func() (list []string) {
		_, e := w.Get(ref("a"))
		if e == nil {
			return nil
		}
		for _, s := range e.Slices {
			for _, a := range s.Ready {
				list = append(list, a.String())
			}
		}
		return list
	}
	nothing, something := as(ref("a"), ""), as(ref("a"), "app")

	w.Slice(ref("a"), slice("a-0", "10.0.0.9")) // before its Service
	w.Service(nothing)
	w.Slice(ref("a"), slice("a-1", "10.0.0.1"))
	if len(w.slices)+len(w.owners) != 0 {
		t.Errorf("slices of nothing are kept: %v %v", w.slices, w.owners)
	}

	w.Service(something)
	if got := taken(w); got != nil {
		t.Errorf("it does not wait for its slices: %v", got)
	}
	select {
	case <-w.Missed():
	default:
		t.Error("nobody is told")
	}
	if r, ok := w.NextMissing(); r != ref("a") || !ok {
		t.Errorf("%v is to be read", r)
	}
	// While they are read one changes, one goes and one comes.
	w.Slice(ref("a"), slice("a-1", "10.0.0.2"))
	w.DeleteSlice(ref("a-2"))
	w.Slice(ref("a"), slice("a-4", "10.0.0.4"))
	w.Fill(ref("a"), nil, []Slice{
		slice("a-1", "10.0.0.1"), slice("a-2", "10.0.0.8"), slice("a-3", "10.0.0.3"),
	})
	if d := cmp.Diff([]string{"10.0.0.2", "10.0.0.3", "10.0.0.4"}, addresses()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if d := cmp.Diff([]string{"a"}, taken(w)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	w.Skip(ref("a-3"), ref("a")) // seen while it was nothing, told late
	if d := cmp.Diff([]string{"10.0.0.2", "10.0.0.3", "10.0.0.4"}, addresses()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}

	// What becomes nothing while it is read is read anew.
	w = marked()
	w.Service(nothing)
	w.Service(something)
	w.NextMissing()
	w.Service(nothing)
	w.Service(something)
	w.Fill(ref("a"), nil, []Slice{slice("a-1", "10.0.0.1")}) // too old
	if got := addresses(); got != nil {
		t.Errorf("%v are taken from before", got)
	}
	w.Service(nothing)
	if len(w.slices)+len(w.owners)+len(w.lanes) != 0 {
		t.Errorf("slices of nothing are kept: %v %v", w.slices, w.owners)
	}
	w.Service(something)
	w.DeleteService(ref("a"))
	if len(w.slices)+len(w.lanes) != 0 {
		t.Errorf("of a deleted Service: %v %v", w.slices, w.lanes)
	}
}

// missing are the Services whose EndpointSlices are to be read.
func missing(w *Store) (list []backend.Ref) {
	for _, l := range w.lanes {
		list = slices.AppendSeq(list, maps.Keys(l.wanted))
	}
	slices.SortFunc(list, backend.Ref.Compare)
	return list
}

// fill is Fill of one whose turn it is, which it makes so.
func fill(t *testing.T, w *Store, service backend.Ref, read []Slice) {
	t.Helper()
	for range 100 {
		next, ok := w.NextMissing()
		if !ok {
			break
		}
		if next == service {
			w.Fill(next, nil, read)
			return
		}
		w.Unread(next)
	}
	t.Fatalf("the turn of %v does not come", service)
}

// marked is a store in which a label is the mark of what is something.
func marked() *Store {
	return New(Options{Relevant: func(s *backend.Service) bool { return len(s.Labels) > 0 }})
}

func as(r backend.Ref, label string) backend.Service {
	s := backend.Service{Ref: r, Selector: map[string]string{"a": "a"}}
	if label != "" {
		s.Labels = map[string]string{label: "yes"}
	}
	return s
}

// appear makes a Service one that matches a type and did not before.
func appear(w *Store, r backend.Ref) {
	w.Service(as(r, ""))
	w.Service(as(r, "app"))
}

// Namespaces take turns, whatever one has to be read, and of each one Service is read at a time.
func TestMissingSlicesTakeTurns(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	w := marked()
	evil := func(i int) backend.Ref { return backend.Ref{Namespace: "evil", Name: fmt.Sprint("x", i)} }
	for i := range 1000 {
		appear(w, evil(i))
	}
	first, _ := w.NextMissing()
	if _, ok := w.NextMissing(); ok {
		t.Error("two of one namespace are read at a time")
	}
	for i := range 3 {
		appear(w, backend.Ref{Namespace: fmt.Sprint("good", i), Name: "a"})
	}
	w.Unread(first)
	for i := range 1000 { // again and again
		appear(w, evil(i))
	}
	count := map[string]int{}
	for range 4 {
		r, _ := w.NextMissing()
		count[r.Namespace]++
		w.Fill(r, nil, nil)
	}
	if want := map[string]int{"evil": 1, "good0": 1, "good1": 1, "good2": 1}; !maps.Equal(count, want) {
		t.Errorf("read are %v, want %v", count, want)
	}
	for {
		r, ok := w.NextMissing()
		if !ok {
			break
		}
		w.Fill(r, nil, nil)
	}
	if len(w.lanes) != 0 {
		t.Errorf("left behind: %v", w.lanes)
	}
}
