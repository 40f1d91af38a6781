package store

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func leads(service string, hosts ...string) map[string][]backend.Exposure {
	var ways []backend.Exposure
	for _, host := range hosts {
		ways = append(ways, backend.Exposure{Port: "80", Scheme: "https", Host: host})
	}
	return map[string][]backend.Exposure{service: ways}
}

// What leads people to a Service changes that Service, and no other.
func TestExposuresChangeTheirService(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	w := New(Options{Relevant: func(s *backend.Service) bool { return s.Name != "nothing" }, Exclude: []string{"left-out"}})
	ingress := func(namespace, name string) Exposer {
		return Exposer{Kind: "Ingress", Ref: backend.Ref{Namespace: namespace, Name: name}}
	}
	for _, name := range []string{"a", "b", "nothing"} {
		w.Service(backend.Service{Ref: ref(name)})
	}
	w.Take()
	steps := []struct {
		name string
		do   func()
		want []string
	}{
		{"new", func() { w.Expose(ingress("ns", "i"), leads("a", "a.example")) }, []string{"a"}},
		{"the same again", func() { w.Expose(ingress("ns", "i"), leads("a", "a.example")) }, nil},
		{"another host", func() { w.Expose(ingress("ns", "i"), leads("a", "b.example")) }, []string{"a"}},
		{"another Service", func() { w.Expose(ingress("ns", "i"), leads("b", "b.example")) }, []string{"a", "b"}},
		{"of another namespace", func() { w.Expose(ingress("other", "i"), leads("a", "a.example")) }, nil},
		{"of one that is left out", func() { w.Expose(ingress("left-out", "i"), leads("a", "a.example")) }, nil},
		{"to nothing", func() { w.Expose(ingress("ns", "j"), leads("nothing", "a.example")) }, nil},
		{"it says nothing", func() { w.Expose(ingress("ns", "i"), map[string][]backend.Exposure{}) }, []string{"b"}},
		{"gone, and was not known", func() { w.Expose(ingress("ns", "x"), nil) }, nil},
	}
	for _, s := range steps {
		s.do()
		if d := cmp.Diff(s.want, taken(w)); d != "" {
			t.Errorf("%s: -want +got:\n%s", s.name, d)
		}
	}
	w.Expose(ingress("ns", "early"), leads("late", "late.example"))
	w.Service(backend.Service{Ref: ref("late")})
	if c := w.Take(); len(c) != 1 || len(c[0].Exposures) != 1 || c[0].Exposures[0].Host != "late.example" {
		t.Errorf("a Service that is younger than its Ingress: %+v", c)
	}
}

// Who floods a namespace with objects has the links of that namespace left out, and takes no more memory.
func TestExposuresAreBounded(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-SEC-3")
	w := New(Options{Relevant: func(*backend.Service) bool { return true }})
	expose := func(namespace string, i int, service string) {
		w.Expose(Exposer{Kind: "Ingress", Ref: backend.Ref{Namespace: namespace, Name: fmt.Sprint(i)}}, leads(service, "a.example", "b.example"))
	}
	for i := range 10_000 {
		expose("evil", i, fmt.Sprint(i))
	}
	if n := w.exposed["evil"].number; n != maxExposures || len(w.exposed["evil"].by) != maxExposures/2 {
		t.Errorf("%d are kept, of %d objects, want %d", n, len(w.exposed["evil"].by), maxExposures)
	}
	expose("evil", 0, "0") // again: its own room
	if n := len(w.Exposures(backend.Ref{Namespace: "evil", Name: "0"})); n != 2 {
		t.Errorf("the first has %d, want 2", n)
	}
	expose("good", 0, "a")
	if n := len(w.Exposures(backend.Ref{Namespace: "good", Name: "a"})); n != 2 {
		t.Errorf("another namespace has %d, want 2", n)
	}
	for i := range 10_000 {
		w.Expose(Exposer{Kind: "Ingress", Ref: backend.Ref{Namespace: "evil", Name: fmt.Sprint(i)}}, nil)
	}
	if w.exposed["evil"] != nil {
		t.Errorf("something is left: %+v", w.exposed["evil"])
	}
}
