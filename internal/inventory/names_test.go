package inventory_test

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// A name from outside the trusted namespaces is written with its namespace, and so can be what another Service of that
// namespace is called without one. The two have one owner: the older keeps it, and nobody else is touched.
func TestNamesWithinANamespace(t *testing.T) {
	t.Attr("req", "DTS-ANN-3")
	list := func(named, plain int) []svc {
		return []svc{
			{ref: at("a", "y"), instance: "a/x", strength: backend.Explicit, day: named},
			{ref: at("a", "x"), strength: backend.Strong, day: plain},
			{ref: at("b", "x"), strength: backend.Strong, day: 9},
			{ref: at("a", "z"), typ: "grafana", instance: "a/x", strength: backend.Strong, day: 9},
		}
	}
	for name, tc := range map[string]struct {
		list            []svc
		keeps, rejected string
	}{
		"the annotated one is older":       {list(1, 2), "a/y", "a/x"},
		"the annotated one is younger":     {list(2, 1), "a/x", "a/y"},
		"the annotated one is of no age":   {list(0, 1), "a/x", "a/y"},
		"nobody's age is known: by name":   {list(0, 0), "a/x", "a/y"},
		"the other one is of no known age": {list(1, 0), "a/y", "a/x"},
	} {
		t.Run(name, func(t *testing.T) {
			got := build(t, inventory.Options{}, tc.list...)
			for _, ref := range []string{tc.keeps, "b/x", "a/z"} {
				if f := got[ref]; f.Verdict != backend.Accepted {
					t.Errorf("%s is %s: %s", ref, f.Verdict, view.Reason(f))
				}
			}
			f := got[tc.rejected]
			told := strings.Contains(view.Reason(f), `"a/x" is the name of Service `+tc.keeps)
			if f.Verdict != backend.Rejected || f.Reason.Annotation != "kubernaut.io/toolset-name" || !told {
				t.Errorf("%s is %s: %s", tc.rejected, f.Verdict, view.Reason(f))
			}
		})
	}
}

// A tenant of what is called main in a trusted namespace is called as a Service of whoever has a namespace main.
func TestTrustedNamesComeFirst(t *testing.T) {
	t.Attr("req", "DTS-ANN-3 DTS-SEC-3")
	trusted, vouched, stranger := at("monitoring", "gateway"), at("metrics", "gateway"), at("main", "a")
	list := []svc{
		{ref: trusted, instance: "main/a", strength: backend.Explicit, day: 5},
		{ref: stranger, strength: backend.Explicit, day: 1},
	}
	got := build(t, inventory.Options{TrustedNamespaces: []string{"monitoring"}}, list...)
	if got[trusted.String()].Verdict != backend.Accepted || got[stranger.String()].Reason.Code != backend.CodeNameTaken {
		t.Errorf("the trusted one is %s, the stranger's %s", got[trusted.String()].Verdict, got[stranger.String()].Verdict)
	}
	list[0].ref = vouched
	got = build(t, inventory.Options{Primary: map[string]backend.Ref{"prometheus": vouched}}, list...)
	if got[vouched.String()].Verdict != backend.Accepted || got[stranger.String()].Reason.Code != backend.CodeNameTaken {
		t.Errorf("the named one is %s, the stranger's %s", got[vouched.String()].Verdict, got[stranger.String()].Verdict)
	}
}
