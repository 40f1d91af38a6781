package store

import (
	"net/netip"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// What is kept is known in full, with its endpoints, also when it is nothing any more, and after it was made again.
func TestKeep(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	w := New(Options{Relevant: func(s *backend.Service) bool { return s.Labels["app"] != "" }})
	something := backend.Service{Ref: ref("a"), Labels: map[string]string{"app": "a"}}
	nothing := backend.Service{Ref: ref("a")}
	slice := func() {
		w.Slice(ref("a"), Slice{Name: "a-1", EndpointSlice: backend.EndpointSlice{Ready: []netip.Addr{netip.MustParseAddr("169.254.169.254")}}})
	}
	known := func() bool {
		s, endpoints := w.Get(ref("a"))
		return s != nil && endpoints != nil
	}
	w.Service(something)
	w.Keep(map[backend.Ref]bool{ref("a"): true})
	if !w.Matters(&nothing) {
		t.Error("what is kept does not matter")
	}
	w.Service(nothing)
	slice()
	if !known() || isOther(w) {
		t.Error("what is nothing any more is not known in full")
	}
	w.DeleteService(ref("a"))
	w.Service(nothing)
	slice()
	if !known() {
		t.Error("what was made again is not known in full")
	}
	w.Keep(nil)
	if s, _ := w.Get(ref("a")); s != nil || !isOther(w) || w.Matters(&nothing) {
		t.Error("it is kept for ever")
	}
}

func isOther(w *Store) bool {
	_, other := w.others[ref("a")]
	return other
}
