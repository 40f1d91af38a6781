package toolset

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// The largest namespaces and types come first, and types of owners' own count as one.
func TestShares(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	wikis := flood("wiki", "wikis", 40, 1, 300, "x", own)
	for i, f := range wikis {
		f.Type = fmt.Sprintf("wiki-%d", i%30)
		f.Candidate.Type = f.Type
	}
	all := slices.Concat(wikis, flood("prometheus", "metrics", 50, 1, 0, ""), flood("jaeger", "traces", 20, 1, 0, ""),
		flood("mcp", "tools", 10, 1, 0, ""))
	for _, text := range []string{"", "toolsets: {jaeger: null, prometheus/metrics: {config: null}}"} {
		d := document(t, all, options(t), text)
		namespaces, types := d.Shares()
		names := func(shares []Share) (list []string) {
			for _, s := range shares {
				list = append(list, s.Name)
			}
			return list
		}
		wantNamespaces := []string{"wikis", "metrics", "traces", "tools"}
		wantTypes := []string{"custom", "prometheus", "jaeger", "mcp"}
		if diff := cmp.Diff(wantNamespaces, names(namespaces)) + cmp.Diff(wantTypes, names(types)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	types := []*catalog.Type{
		{Type: "metrics", Toolset: catalog.Toolset{HolmesGPT: []catalog.Entry{
			{Name: "acme/metrics", Tokens: catalog.Tokens{Toolset: 1000, Instance: 100}}, {Name: "acme/unmeasured"},
		}}},
		{Type: "traces", Toolset: catalog.Toolset{HolmesGPT: []catalog.Entry{{HTTP: &catalog.HTTP{}, Tokens: catalog.Tokens{Toolset: 700, Instance: 50}}}}},
		{Type: "wiki", Toolset: catalog.Toolset{HolmesGPT: []catalog.Entry{{HTTP: &catalog.HTTP{}}}}},
	}
	var document map[string]any
	if err := yaml.Unmarshal([]byte(`
toolsets:
  kubernetes/core: {enabled: true}
  acme/metrics: {enabled: true, config: {instances: [{name: a}, {name: b}]}}
  acme/unmeasured: {enabled: true, config: {instances: [{name: a}]}}
  helm/core: {enabled: true}
  traces/one: {type: http, enabled: true, llm_instructions: counted in the figures, config: {endpoints: [{}, {}, {}]}}
  wiki/one: {type: http, enabled: true, llm_instructions: of 16 letters..., config: {endpoints: [{}]}}
  custom/one: {type: http, config: {endpoints: [{}]}}
  custom/off: {type: http, enabled: false, config: {endpoints: [{}]}}
  kubernaut/notes: {enabled: true, tools: [], llm_instructions: twelve chars}
  generation/1: {enabled: false, tools: []}
mcp_servers:
  mcp/one: {enabled: true}
`), &document); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"kubernetes/core": 1600, "acme/metrics": 1200, "traces/one": 850, "wiki/one": 530 + 65 + 4, "custom/one": 530 + 65, "custom/off": 0,
		"kubernaut/notes": 3, "generation/1": 0,
	}
	if diff := cmp.Diff(want, Tokens(types, document)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
