package world

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Of a Service that is nothing no EndpointSlice is kept. Once it is something, those that were not kept are read, and it waits
// until they are there.
func TestSlicesOfWhatBecomesSomething(t *testing.T) {
	t.Attr("req", "DTS-PERF-4")
	w := New(func(s *backend.Service) bool { return s.Labels["app"] != "" })
	part := func(address string) backend.EndpointSlice {
		return backend.EndpointSlice{Ready: []netip.Addr{netip.MustParseAddr(address)}}
	}
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
	nothing := backend.Service{Ref: ref("a"), Selector: map[string]string{"a": "a"}}
	something := nothing
	something.Labels = map[string]string{"app": "a"}

	w.SetSlice(ref("a-0"), ref("a"), part("10.0.0.9"), false) // before its Service
	w.SetService(nothing)
	w.SetSlice(ref("a-1"), ref("a"), part("10.0.0.1"), false)
	if len(w.slices)+len(w.owners) != 0 {
		t.Errorf("slices of nothing are kept: %v %v", w.slices, w.owners)
	}

	w.SetService(something)
	if got := taken(w); got != nil {
		t.Errorf("it does not wait for its slices: %v", got)
	}
	if d := cmp.Diff([]backend.Ref{ref("a")}, w.Missing()); d != "" {
		t.Errorf("missing: %s", d)
	}
	select {
	case <-w.Missed():
	default:
		t.Error("nobody is told")
	}
	// While they are read one changes, one goes and one comes.
	w.SetSlice(ref("a-1"), ref("a"), part("10.0.0.2"), false)
	w.DeleteSlice(ref("a-2"))
	w.SetSlice(ref("a-4"), ref("a"), part("10.0.0.4"), false)
	w.Fill(ref("a"), []Slice{
		{Name: "a-1", EndpointSlice: part("10.0.0.1")}, {Name: "a-2", EndpointSlice: part("10.0.0.8")}, {Name: "a-3", EndpointSlice: part("10.0.0.3")},
	})
	if d := cmp.Diff([]string{"10.0.0.2", "10.0.0.3", "10.0.0.4"}, addresses()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if d := cmp.Diff([]string{"a"}, taken(w)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}

	w.SetService(nothing)
	if len(w.slices)+len(w.owners)+len(w.Missing()) != 0 {
		t.Errorf("slices of nothing are kept: %v %v", w.slices, w.owners)
	}
	w.Fill(ref("a"), []Slice{{Name: "a-1"}}) // too late
	w.SetService(something)
	w.DeleteService(ref("a"))
	if len(w.slices)+len(w.Missing()) != 0 {
		t.Errorf("of a deleted Service: %v %v", w.slices, w.Missing())
	}
}
