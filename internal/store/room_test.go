package store

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// many is a slice that takes about so many bytes.
func many(bytes int) backend.EndpointSlice {
	one := backend.EndpointSlice{Ready: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	var s backend.EndpointSlice
	for range bytes / one.Size() {
		s.Ready = append(s.Ready, one.Ready[0])
	}
	return s
}

// What is kept of one namespace's EndpointSlices is bounded. A Service of which not all is kept is told apart, a denied address
// in what is not kept is seen at once, other namespaces are as ever, and when there is room again all is read.
func TestSlicesOfANamespaceAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-PRB-5")
	w := New(Options{Relevant: func(*backend.Service) bool { return true }})
	other := backend.Ref{Namespace: "other", Name: "c"}
	for _, r := range []backend.Ref{ref("a"), ref("b"), other} {
		w.Service(backend.Service{Ref: r, Selector: map[string]string{"app": "x"}})
	}
	w.Slice(ref("a"), Slice{Name: "a-0", EndpointSlice: many(1000)})
	const each = 1 << 16
	for i := range 500 {
		w.Slice(ref("b"), Slice{Name: fmt.Sprint("b-", i), EndpointSlice: many(each)})
	}
	w.Slice(ref("a"), Slice{Name: "a-1", EndpointSlice: many(1000)})
	w.Slice(other, Slice{Name: "c-0", EndpointSlice: many(each)})
	taken(w)
	crowded := func() (names []string) {
		for _, r := range []backend.Ref{ref("a"), ref("b"), other} {
			if _, e := w.Get(r); e != nil && e.Crowded {
				names = append(names, r.Name)
			}
		}
		return names
	}
	kept := func() (n int) {
		for _, list := range w.slices {
			for i := range list {
				n += list[i].Size()
			}
		}
		return n
	}
	if n := kept(); n > backend.MaxSlices+2*each || n < backend.MaxSlices/2 {
		t.Errorf("%d bytes are kept", n)
	}
	if d := cmp.Diff([]string{"a", "b"}, crowded()); d != "" {
		t.Errorf("crowded (-want +got):\n%s", d)
	}

	// The same again is no change, what is denied is one.
	w.Slice(ref("b"), Slice{Name: "b-499", EndpointSlice: many(each)})
	if got := taken(w); got != nil {
		t.Errorf("the same again changes %v", got)
	}
	bad := many(each)
	bad.Denied = netip.MustParseAddr("169.254.169.254")
	w.Slice(ref("b"), Slice{Name: "b-499", EndpointSlice: bad})
	if d := cmp.Diff([]string{"b"}, taken(w)); d != "" {
		t.Errorf("a denied address (-want +got):\n%s", d)
	}
	_, e := w.Get(ref("b"))
	if !slices.ContainsFunc(e.Slices, func(s backend.EndpointSlice) bool { return s.Denied == bad.Denied }) {
		t.Error("a denied address is not seen")
	}

	// Most go: there is room, but of those that are left not all is known until they are read.
	for i := range 499 {
		w.DeleteSlice(ref(fmt.Sprint("b-", i)))
	}
	if d := cmp.Diff([]backend.Ref{ref("a"), ref("b")}, missing(w)); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	if got := taken(w); got != nil {
		t.Errorf("%v do not wait", got)
	}
	fill(t, w, ref("a"), []Slice{{Name: "a-0", EndpointSlice: many(1000)}, {Name: "a-1", EndpointSlice: many(1000)}})
	fill(t, w, ref("b"), []Slice{{Name: "b-499", EndpointSlice: bad}})
	if d := cmp.Diff([]string{"a", "b"}, taken(w)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := crowded(); got != nil {
		t.Errorf("still crowded: %v", got)
	}
	w.DeleteSlice(ref("a-0"))
	w.DeleteSlice(ref("a-1"))
	w.DeleteSlice(ref("b-499"))
	w.DeleteSlice(backend.Ref{Namespace: "other", Name: "c-0"})
	if len(w.sizes)+len(w.bared)+len(w.slices) != 0 {
		t.Errorf("left behind: %v, %v, %v", w.sizes, w.bared, w.slices)
	}
}

// Slices may come before their Service. Those of a Service that turns out to be nothing make room; those of one that comes
// later are read then.
func TestRoomForWhatComesLater(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	w := New(Options{Relevant: func(s *backend.Service) bool { return s.Name != "nothing" }})
	w.Slice(ref("nothing"), Slice{Name: "n-0", EndpointSlice: many(backend.MaxSlices)})
	w.Slice(ref("a"), Slice{Name: "a-0", EndpointSlice: many(1000)})
	w.Service(backend.Service{Ref: ref("nothing")})
	w.Service(backend.Service{Ref: ref("a")})
	if d := cmp.Diff([]backend.Ref{ref("a")}, missing(w)); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	if len(w.sizes)+len(w.slices) != 0 {
		t.Errorf("left behind: %v, %v", w.sizes, w.slices)
	}
	fill(t, w, ref("a"), []Slice{{Name: "a-0", EndpointSlice: many(1000)}})
	if _, e := w.Get(ref("a")); e.Crowded || e.ReadyCount() != 1000/24 {
		t.Errorf("%d are ready, crowded %t", e.ReadyCount(), e.Crowded)
	}
}

// Files are the admin's: nothing of them is read again, and so nothing of them is left out.
func TestSlicesOfFilesAreKept(t *testing.T) {
	t.Attr("req", "DTS-PRB-4")
	w := New(Options{Relevant: func(*backend.Service) bool { return true }, SlicesOptional: true, Unbounded: true})
	w.Service(backend.Service{Ref: ref("a")})
	for i := range 3 {
		w.Slice(ref("a"), Slice{Name: fmt.Sprint("a-", i), EndpointSlice: many(backend.MaxSlices / 2)})
	}
	if _, e := w.Get(ref("a")); e.Crowded || e.ReadyCount() < 200_000 {
		t.Errorf("%d are ready, crowded %t", e.ReadyCount(), e.Crowded)
	}
}
