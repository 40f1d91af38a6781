package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func ref(name string) backend.Ref { return backend.Ref{Namespace: "ns", Name: name} }

// taken are the names of what has changed.
func taken(w *Store) (names []string) {
	for _, c := range w.Take() {
		names = append(names, c.Name)
	}
	return names
}

// A watch that was cut tells all there is again: only what differs may be probed again.
func TestTheSameAgainIsNoChange(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	w := New(Options{Relevant: func(s *backend.Service) bool { return s.Name != "nothing" }})
	service := func(name, port string) backend.Service {
		return backend.Service{Ref: ref(name), Labels: map[string]string{"app": name}, Ports: []backend.Port{{Name: port, Number: 80}}}
	}
	steps := []struct {
		name string
		do   func()
		want []string
	}{
		{"new", func() {
			w.Service(service("a", "http"))
			w.Service(service("b", "http"))
			w.Service(service("nothing", "http"))
			w.Slice(ref("a"), slice("a-1", "10.0.0.1"))
		}, []string{"a", "b"}},
		{"the same again", func() {
			w.Service(service("a", "http"))
			w.Service(service("nothing", "http"))
			w.Slice(ref("a"), slice("a-1", "10.0.0.1"))
		}, nil},
		{"another port", func() { w.Service(service("b", "web")) }, []string{"b"}},
		{"another address", func() { w.Slice(ref("a"), slice("a-1", "10.0.0.2")) }, []string{"a"}},
		{"the slice goes over to another", func() { w.Slice(ref("b"), slice("a-1", "10.0.0.2")) }, []string{"a", "b"}},
		{"the slice goes", func() { w.DeleteSlice(ref("a-1")) }, []string{"b"}},
		{"it goes", func() { w.DeleteService(ref("a")); w.DeleteService(ref("nothing")) }, []string{"a"}},
		{"everything", w.TouchAll, []string{"b"}},
	}
	for _, s := range steps {
		s.do()
		if d := cmp.Diff(s.want, taken(w)); d != "" {
			t.Errorf("%s: -want +got:\n%s", s.name, d)
		}
	}
}

// Of a cluster no slices means no endpoints. Files may leave them out (files TestFilesAreFollowed).
func TestWithoutSlicesNothingIsReady(t *testing.T) {
	t.Attr("req", "DTS-PRB-4")
	w := marked()
	w.Service(as(ref("a"), "app"))
	if c := w.Take(); len(c) != 1 || c[0].Endpoints == nil || c[0].Endpoints.ReadyCount() != 0 {
		t.Errorf("%+v", c)
	}
}
