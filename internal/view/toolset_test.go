package view

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func accepted(typ, name string, o backend.Outcome, primary bool) *backend.Finding {
	s := &backend.Service{Ref: backend.Ref{Namespace: "ns", Name: name}}
	f := &backend.Finding{
		Ref: s.Ref, Service: s, Type: typ, Verdict: backend.Accepted, Primary: primary,
		Candidate: &backend.Candidate{
			Service: s, Type: typ, Instance: s.Ref.String(), Host: name + ".ns.svc.cluster.local", Scheme: "http",
			Port: backend.Port{Number: 80}, PortNumber: 80,
		},
	}
	if f.Observation.Outcome = o; o != backend.Unprobed {
		f.Observation.At = time.Unix(1, 0)
	}
	return f
}

func TestToolsets(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	types, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	long := "a-service-whose-name-is-much-too-long-for-the-name-of-any-tool"
	wiki := accepted("wiki", long, backend.Ready, true)
	wiki.Candidate.Custom = true
	doc, err := toolset.Build([]*backend.Finding{
		accepted("prometheus", "one", backend.Ready, true),
		accepted("prometheus", "two", backend.Unreachable, false),
		accepted("jaeger", "traces", backend.Ready, true),
		wiki,
		accepted("alertmanager", "alerts", backend.Unprobed, true),
		accepted(backend.TypeMCP, "server", backend.Ready, false),
	}, toolset.Options{Types: types.Types, Baseline: []string{"kubernetes/core"}, GenerationMarker: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Type, Healthy string
		Enabled       bool
		Services      []string
	}
	words := map[bool]string{true: "healthy", false: "unhealthy"}
	got := map[string]row{}
	for _, s := range Toolsets(doc) {
		r := row{Type: s.Type, Healthy: "unknown", Enabled: s.Enabled}
		if s.Healthy != nil {
			r.Healthy = words[*s.Healthy]
		}
		for _, i := range s.Instances {
			r.Services = append(r.Services, i.Service)
		}
		name := s.Name
		if len(name) > 50 {
			name = name[:20] // its end is a hash
		}
		got[name] = r
	}
	want := map[string]row{
		"kubernaut/notes":      {"kubernaut", "unknown", true, nil},
		"kubernetes/core":      {"kubernetes", "unknown", true, nil},
		"prometheus/metrics":   {"prometheus", "unhealthy", true, []string{"ns/one", "ns/two"}},
		"jaeger":               {"jaeger", "healthy", true, []string{"ns/traces"}},
		"custom/ns/a-service-": {"wiki", "healthy", true, []string{"ns/" + long}},
		"alertmanager":         {"alertmanager", "unknown", true, []string{"ns/alerts"}},
		"mcp/ns/server":        {"mcp", "healthy", true, []string{"ns/server"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := Toolsets(nil); got == nil || len(got) != 0 {
		t.Errorf("no document: %v, want an empty list", got)
	}
}
