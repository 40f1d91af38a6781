package toolset

import (
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Half a credential is no authentication, and stops nothing.
func TestPartialCredential(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-OUT-9")
	for field, missing := range map[string]string{"username": "password", "password": "username"} {
		for _, f := range []*backend.Finding{
			found("jaeger", "a/x", 16686, credentials(field, "U")), found("kibana", "a/x", 5601, credentials(field, "U")),
			found("zipkin", "a/x", 9411, credentials(field, "U")), found("alertmanager", "a/x", 9093, credentials(field, "U")),
			found("orders", "a/x", 80, own, credentials(field, "U")),
		} {
			for _, inForce := range []bool{true, false} {
				opts := options(t)
				opts.InForce = inForce
				d := document(t, []*backend.Finding{f, found("prometheus", "b/p", 9090)}, opts, "")
				text := flat(t, d)
				if !strings.Contains(text, "http://p.b.svc") || !strings.Contains(text, "http://x.a.svc") || strings.Contains(text, "auth:") {
					t.Errorf("%s: want both, without auth:\n%s", f.Type, text)
				}
				want := "a/x: credential-partial type=" + f.Type + " names=" + missing + " kind=basic"
				if got := brief(d.Warnings); got != want {
					t.Errorf("%s: warnings %q, want %q", f.Type, got, want)
				}
			}
		}
	}
}

// What HolmesGPT would not load is left out alone, whatever the overrides change elsewhere. They are refused only if they change it.
func TestEntryLeftOut(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-OUT-9")
	opts := options(t)
	opts.GenerationMarker = false
	opts.Types = append(slices.Clone(opts.Types), &catalog.Type{Type: "broken", Order: 99, Toolset: catalog.Toolset{
		HolmesGPT:   []catalog.Entry{{HTTP: &catalog.HTTP{Paths: []string{"/*"}}, Description: "Broken"}},
		Credentials: []catalog.Credential{{Field: "token", Auth: "nonsense"}}, // which the catalog's loader refuses
	}})
	broken := []*backend.Finding{
		found("broken", "a/x", 80, credentials("token", "T")), found("broken", "a/y", 80, credentials("token", "T")),
	}
	const because = " type=broken value=broken because=config.endpoints[0].auth: " +
		"expected a mapping whose type is none, basic, digest, bearer or header"
	const warnings = "a/x: entry-left-out" + because + "\na/y: entry-left-out" + because
	for name, tt := range map[string]struct {
		text             string
		refused, inForce bool
	}{
		"no overrides":                 {"", false, false},
		"others":                       {"toolsets: {helm/core: {enabled: true}}", false, false},
		"of the same toolset":          {"toolsets: {broken: {description: Mine}}", true, false},
		"of an instance":               {"instances: {broken: {a/x: {methods: [GET]}}}", true, false},
		"in force":                     {"toolsets: {helm/core: {enabled: true}}", false, true},
		"in force, of the same entry":  {"instances: {broken: {a/x: {methods: [HEAD]}}}", false, true},
		"in force, of another's entry": {"instances: {prometheus: {b/p: {name: p}}}", false, true},
	} {
		opts.InForce = tt.inForce
		d, err := Build(append(slices.Clone(broken), found("prometheus", "b/p", 9090)), opts, parse(t, tt.text))
		if tt.refused {
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text := flat(t, d); !strings.Contains(text, "http://p.b.svc") || strings.Contains(text, "  broken:") {
			t.Errorf("%s: want the Prometheus alone:\n%s", name, text)
		}
		if got := brief(d.Warnings); !strings.HasSuffix(got, warnings) {
			t.Errorf("%s: warnings %q, want %q", name, got, warnings)
		}
		if len(d.Backends["broken"]) > 0 {
			t.Errorf("%s: it counts as written", name)
		}
	}
	opts.Baseline, opts.InForce = nil, false
	d := document(t, broken, opts, "")
	if text := flat(t, d); !strings.Contains(text, "generation/none") {
		t.Errorf("HolmesGPT refuses a document without any entry:\n%s", text)
	}
}
