package toolset

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

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
