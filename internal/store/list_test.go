package store

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// listed is an empty store as commands fill it, which read everything once. A label is the mark of what is something.
func listed(opts Options) *Store {
	opts.Relevant, opts.SlicesOptional = func(s *backend.Service) bool { return len(s.Labels) > 0 }, true
	return New(opts)
}

func in(namespace, name string) backend.Ref { return backend.Ref{Namespace: namespace, Name: name} }

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
	c := listed(Options{})
	c.Service(as(in("b", "shop"), ""))
	c.Service(as(in("b", "grafana"), "app"))
	c.Service(as(in("a", "shop"), ""))
	if diff := cmp.Diff([]string{"b/grafana"}, kept(c)); diff != "" {
		t.Errorf("kept (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a/shop", "b/shop"}, others(c)); diff != "" {
		t.Errorf("only named (-want +got)\n%s", diff)
	}
	if c.Count() != 3 {
		t.Errorf("%d Services read", c.Count())
	}
	if s, _ := c.Get(in("a", "shop")); s != nil {
		t.Errorf("%s is kept: %+v", s.Ref, s)
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
		c := listed(tt.opts)
		for _, ns := range []string{"a", "b", "c"} {
			c.Slice(in(ns, "grafana"), slice("s2", "10.1.0.1"))
			c.Service(as(in(ns, "grafana"), "app"))
			c.Service(as(in(ns, "shop"), ""))
		}
		if diff := cmp.Diff(tt.want, kept(c)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
		if len(others(c)) != len(tt.want) || len(c.slices) != len(tt.want) {
			t.Errorf("%s: %d others, endpoints of %d Services", tt.name, len(others(c)), len(c.slices))
		}
	}
}

// TestListEndpoints: what is known of endpoints, in whichever order things come.
func TestListEndpoints(t *testing.T) {
	t.Attr("req", "DTS-PRB-4")
	c := listed(Options{})
	c.Slice(in("a", "before"), slice("s3", "10.1.0.1"))
	c.Slice(in("a", "shop-before"), slice("s4", "10.1.0.9"))
	for _, name := range []string{"before", "after", "none"} {
		c.Service(as(in("a", name), "app"))
	}
	c.Service(as(in("unsliced", "grafana"), "app"))
	c.Service(as(in("a", "shop-before"), ""))
	c.Service(as(in("a", "shop-after"), ""))
	manual := as(in("a", "manual"), "app")
	manual.Selector = nil
	c.Service(manual)
	c.Slice(in("a", "after"), slice("s5", "10.1.0.2"))
	c.Slice(in("a", "after"), slice("s6", "10.1.0.3", "10.1.0.4"))
	c.Slice(in("a", "after"), Slice{Name: "s7", FQDN: true})
	c.Slice(in("a", "shop-after"), slice("s8", "10.1.0.9"))

	for name, want := range map[string]int{"before": 1, "after": 3, "none": 0, "manual": -1} {
		got := -1
		if _, e := c.Get(in("a", name)); e != nil {
			got = e.ReadyCount()
		}
		if got != want {
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
	for _, given := range [][]string{{"app", "team"}, {"app", ""}, {"", "app"}, {"", ""}} { // the label of each
		c, last := listed(Options{}), as(in("a", "x"), given[1])
		c.Service(as(last.Ref, given[0]))
		c.Service(last)
		s, _ := c.Get(last.Ref)
		if c.Count() != 1 || (s != nil) != (given[1] != "") || s != nil && !cmp.Equal(*s, last) {
			t.Errorf("%q: %+v, of %d", given, s, c.Count())
		}
	}
}
