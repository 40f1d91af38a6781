package toolset

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The toolsets of HolmesGPT that show people links are given the one that opens in a browser; where none is known they are not.
func TestLinks(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	linked := func(f *backend.Finding) { f.Link = "https://" + f.Name + ".example.com" }
	var findings []*backend.Finding
	for _, typ := range []string{"grafana", "loki", "tempo", "victorialogs", "prometheus", "elasticsearch", "jaeger"} {
		findings = append(findings, found(typ, "a/"+typ, 80, linked), found(typ, "b/"+typ, 80))
	}
	doc, err := Build(findings, options(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for name, tree := range doc.HolmesGPT["toolsets"].(map[string]any) {
		config, _ := tree.(map[string]any)["config"].(map[string]any)
		instances, _ := config["instances"].([]any)
		for _, i := range instances {
			if link, has := i.(map[string]any)["external_url"]; has {
				got[name+" "+i.(map[string]any)["name"].(string)] = link
			}
		}
	}
	want := map[string]any{
		"grafana/dashboards a/grafana": "https://grafana.example.com",
		"grafana/loki a/loki":          "https://loki.example.com",
		"grafana/tempo a/tempo":        "https://tempo.example.com",
		"victorialogs a/victorialogs":  "https://victorialogs.example.com",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("external_url (-want +got):\n%s", d)
	}
}
