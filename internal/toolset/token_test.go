package toolset

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// An instance that must not get the agent's own token names an Authorization that says nothing, unless it has one.
func TestAuthorizationThatSaysNothing(t *testing.T) {
	t.Attr("req", "DTS-OUT-14")
	keep := func(f *backend.Finding) { f.KeepToken = true }
	doc, err := Build([]*backend.Finding{
		found("prometheus", "a/trusted", 9090),
		found("prometheus", "b/kept", 9090, keep),
		found("prometheus", "c/token", 9090, keep, credentials("bearer_token", "TOKEN")),
		found("mimir", "d/tenant", 9009, keep, credentials("tenant", "TENANT")),
	}, options(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	instances := doc.HolmesGPT["toolsets"].(map[string]any)["prometheus/metrics"].(map[string]any)["config"].(map[string]any)["instances"].([]any)
	got := map[string]any{}
	for _, tree := range instances {
		got[tree.(map[string]any)["name"].(string)] = tree.(map[string]any)["additional_headers"]
	}
	want := map[string]any{
		"a/trusted": nil,
		"b/kept":    map[string]any{"Authorization": "Basic Og=="},
		"c/token":   map[string]any{"Authorization": "Bearer {{ env.TOKEN }}"},
		"d/tenant":  map[string]any{"Authorization": "Basic Og==", "X-Scope-OrgID": "{{ env.TENANT }}"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("additional_headers (-want +got):\n%s", d)
	}
}
