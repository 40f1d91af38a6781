package store

import (
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// What is kept is known in full, with its endpoints, also when it is nothing any more, and after it was made again.
func TestKeep(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	w := marked()
	nothing, part := as(ref("a"), ""), slice("a-1", "169.254.169.254")
	known := func() bool {
		s, endpoints := w.Get(ref("a"))
		return s != nil && endpoints != nil && endpoints.ReadyCount() == 1
	}
	w.Service(as(ref("a"), "app"))
	w.Keep(map[backend.Ref]bool{ref("a"): true})
	if !w.Matters(&nothing) {
		t.Error("what is kept does not matter")
	}
	w.Service(nothing)
	w.Slice(ref("a"), part)
	if !known() || len(w.Others()) > 0 {
		t.Error("what is nothing any more is not known in full")
	}
	w.DeleteService(ref("a"))
	w.Service(nothing)
	w.Slice(ref("a"), part)
	if !known() {
		t.Error("what was made again is not known in full")
	}
	w.Keep(nil)
	if s, _ := w.Get(ref("a")); s != nil || len(w.Others()) == 0 || w.Matters(&nothing) {
		t.Error("it is kept for ever")
	}
}
