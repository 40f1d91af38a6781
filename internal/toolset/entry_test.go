package toolset

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// settings returns a setting of the instances that have it, by toolset and instance.
func settings(d *Document, key string) map[string]any {
	all := map[string]any{}
	for at, tree := range eachEntry(d.HolmesGPT) {
		for _, i := range listIn(tree, "instances") {
			if v, has := i.(map[string]any)[key]; has {
				all[at.name+" "+configName(i)] = v
			}
		}
	}
	return all
}

// The toolsets of HolmesGPT that show people links are given the one that opens in a browser; where none is known they are not.
func TestLinks(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	linked := func(f *backend.Finding) { f.Link = "https://" + f.Name + ".example.com" }
	var findings []*backend.Finding
	for _, typ := range []string{"grafana", "loki", "tempo", "victorialogs", "prometheus", "elasticsearch", "jaeger"} {
		findings = append(findings, found(typ, "a/"+typ, 80, linked), found(typ, "b/"+typ, 80))
	}
	want := map[string]any{
		"grafana/dashboards a/grafana": "https://grafana.example.com",
		"grafana/loki a/loki":          "https://loki.example.com",
		"grafana/tempo a/tempo":        "https://tempo.example.com",
		"victorialogs a/victorialogs":  "https://victorialogs.example.com",
	}
	if d := cmp.Diff(want, settings(built(t, nil, findings...), "external_url")); d != "" {
		t.Errorf("external_url (-want +got):\n%s", d)
	}
}

// An instance that must not get the agent's own token names an Authorization that says nothing, unless it has one.
func TestAuthorizationThatSaysNothing(t *testing.T) {
	t.Attr("req", "DTS-OUT-14")
	d := built(t, nil,
		found("prometheus", "a/trusted", 9090),
		found("prometheus", "b/kept", 9090, keepsToken),
		found("prometheus", "c/token", 9090, keepsToken, credentials("bearer_token", "TOKEN")),
		found("mimir", "d/tenant", 9009, keepsToken, credentials("tenant", "TENANT")),
	)
	want := map[string]any{
		"prometheus/metrics b/kept":   map[string]any{"Authorization": "Basic Og=="},
		"prometheus/metrics c/token":  map[string]any{"Authorization": "Bearer {{ env.TOKEN }}"},
		"prometheus/metrics d/tenant": map[string]any{"Authorization": "Basic Og==", "X-Scope-OrgID": "{{ env.TENANT }}"},
	}
	if d := cmp.Diff(want, settings(d, "additional_headers")); d != "" {
		t.Errorf("additional_headers (-want +got):\n%s", d)
	}
}
