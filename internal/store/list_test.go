package store

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
)

// listed is an empty store as commands fill it, which read everything once.
func listed(t *testing.T, opts Options) *Store {
	t.Helper()
	types, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	d, err := detect.New(types, detect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole := opts.Relevant
	opts.Relevant = func(s *backend.Service) bool { return d.Matters(s) || whole != nil && whole(s) }
	opts.SlicesOptional = true
	return New(opts)
}

func in(namespace, name string) backend.Ref { return backend.Ref{Namespace: namespace, Name: name} }

func service(r backend.Ref, labels map[string]string, number int32) backend.Service {
	return backend.Service{
		Ref: r, Labels: labels, Selector: map[string]string{"app": r.Name}, ClusterIP: "10.0.0.1",
		Ports: []backend.Port{{Name: "http", Number: number, Protocol: "TCP", Target: intstr.FromInt32(number)}},
	}
}

func grafana(r backend.Ref) backend.Service {
	return service(r, map[string]string{"app.kubernetes.io/name": "grafana"}, 3000)
}

func nothing(r backend.Ref) backend.Service {
	// A component that some type's rule looks at makes it no more than any other Service.
	return service(r, map[string]string{"app.kubernetes.io/name": "checkout", "app.kubernetes.io/component": "server"}, 8080)
}

func slice(name string, addresses ...string) Slice {
	s := Slice{Name: name}
	for _, a := range addresses {
		s.Ready = append(s.Ready, netip.MustParseAddr(a))
	}
	return s
}

func kept(c *Store) (names []string) {
	for _, s := range c.Services() {
		names = append(names, s.Ref.String())
	}
	return names
}

func others(c *Store) (names []string) {
	for _, r := range c.Others() {
		names = append(names, r.String())
	}
	return names
}

func TestListKeepsOnlyWhatMatters(t *testing.T) {
	t.Attr("req", "DTS-PERF-4")
	c := listed(t, Options{})
	c.Service(nothing(in("b", "shop")))
	c.Service(grafana(in("b", "grafana")))
	c.Service(nothing(in("a", "shop")))
	c.Service(backend.Service{Ref: in("a", "out"), Annotations: map[string]string{"kubernaut.io/toolset": "false"}})
	if diff := cmp.Diff([]string{"a/out", "b/grafana"}, kept(c)); diff != "" {
		t.Errorf("kept (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a/shop", "b/shop"}, others(c)); diff != "" {
		t.Errorf("only named (-want +got)\n%s", diff)
	}
	if c.Count() != 4 {
		t.Errorf("%d Services read", c.Count())
	}
	if s, _ := c.Get(in("a", "shop")); s != nil {
		t.Errorf("%s is kept: %+v", s.Ref, s)
	}
}

// TestListWhole: the Service that is to be explained is kept, whatever it is.
func TestListWhole(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	c := listed(t, Options{Relevant: func(s *backend.Service) bool { return s.Ref == in("a", "shop") }})
	c.Service(nothing(in("a", "shop")))
	c.Service(nothing(in("a", "other")))
	c.Slice(in("a", "shop"), slice("s1", "10.1.0.1"))
	s, e := c.Get(in("a", "shop"))
	if s == nil || len(s.Labels) != 2 || e.ReadyCount() != 1 {
		t.Errorf("%+v, %+v", s, e)
	}
	if s, _ := c.Get(in("a", "other")); s != nil {
		t.Errorf("%s is kept too", s.Ref)
	}
}

func TestListNamespaces(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	tests := []struct {
		name string
		opts Options
		want []string
	}{
		{"all", Options{}, []string{"a/grafana", "b/grafana", "c/grafana"}},
		{"only", Options{Namespaces: []string{"c", "a"}}, []string{"a/grafana", "c/grafana"}},
		{"exclude", Options{Exclude: []string{"a"}}, []string{"b/grafana", "c/grafana"}},
		{"both", Options{Namespaces: []string{"a", "b"}, Exclude: []string{"a"}}, []string{"b/grafana"}},
	}
	for _, tt := range tests {
		c := listed(t, tt.opts)
		for _, ns := range []string{"a", "b", "c"} {
			c.Slice(in(ns, "grafana"), slice("s2", "10.1.0.1"))
			c.Service(grafana(in(ns, "grafana")))
			c.Service(nothing(in(ns, "shop")))
		}
		if diff := cmp.Diff(tt.want, kept(c)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
		if got := len(others(c)); got != len(tt.want) {
			t.Errorf("%s: %d others", tt.name, got)
		}
		if len(c.slices) != len(tt.want) {
			t.Errorf("%s: endpoints of %d Services", tt.name, len(c.slices))
		}
	}
}

// TestListEndpoints: what is known of endpoints, in whichever order things come.
func TestListEndpoints(t *testing.T) {
	t.Attr("req", "DTS-PRB-4")
	c := listed(t, Options{})
	c.Slice(in("a", "before"), slice("s3", "10.1.0.1"))
	c.Slice(in("a", "shop-before"), slice("s4", "10.1.0.9"))
	for _, name := range []string{"before", "after", "none"} {
		c.Service(grafana(in("a", name)))
	}
	c.Service(grafana(in("unsliced", "grafana")))
	c.Service(nothing(in("a", "shop-before")))
	c.Service(nothing(in("a", "shop-after")))
	manual := grafana(in("a", "manual"))
	manual.Selector = nil
	c.Service(manual)
	c.Slice(in("a", "after"), slice("s5", "10.1.0.2"))
	c.Slice(in("a", "after"), slice("s6", "10.1.0.3", "10.1.0.4"))
	c.Slice(in("a", "after"), Slice{Name: "s7", FQDN: true})
	c.Slice(in("a", "shop-after"), slice("s8", "10.1.0.9"))

	ready := func(name string) int {
		_, e := c.Get(in("a", name))
		if e == nil {
			return -1
		}
		return e.ReadyCount()
	}
	for name, want := range map[string]int{"before": 1, "after": 3, "none": 0, "manual": -1} {
		if got := ready(name); got != want {
			t.Errorf("%s: %d ready endpoints, want %d", name, got, want)
		}
	}
	if _, e := c.Get(in("a", "after")); !e.FQDN {
		t.Error("that a slice of names was there is forgotten")
	}
	if _, e := c.Get(in("unsliced", "grafana")); e != nil {
		t.Errorf("a namespace without any slice, as in a rendered chart: nothing is known, not %+v", e)
	}
	if len(c.slices) != 2 {
		t.Errorf("endpoints of Services that are nothing are kept: %v", c.slices)
	}
}

// TestListTwice: of a Service that is given twice the later one counts.
func TestListTwice(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	r := in("a", "x")
	loki := service(r, map[string]string{"app.kubernetes.io/name": "loki"}, 3100)
	tests := []struct {
		name        string
		given       []backend.Service
		kept, named int
		label       string
	}{
		{"something, something else", []backend.Service{grafana(r), loki}, 1, 0, "loki"},
		{"something, nothing", []backend.Service{grafana(r), nothing(r)}, 0, 1, ""},
		{"nothing, something", []backend.Service{nothing(r), grafana(r)}, 1, 0, "grafana"},
		{"nothing, nothing", []backend.Service{nothing(r), nothing(r)}, 0, 1, ""},
	}
	for _, tt := range tests {
		c := listed(t, Options{})
		for _, s := range tt.given {
			c.Service(s)
		}
		if len(c.Services()) != tt.kept || len(c.Others()) != tt.named || c.Count() != 1 {
			t.Errorf("%s: kept %v, named %v, %d read", tt.name, kept(c), others(c), c.Count())
		}
		if s, _ := c.Get(r); s != nil && s.Labels["app.kubernetes.io/name"] != tt.label {
			t.Errorf("%s: %v", tt.name, s.Labels)
		}
	}
}
