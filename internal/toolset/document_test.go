package toolset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// The texts are those of the writer that kubectl uses, whatever the data.
func TestMarshalAsKubectl(t *testing.T) {
	t.Attr("req", "DTS-OUT-1")
	d, err := Build(append(oneOfEach(), custom()...), options(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	trees := map[string]map[string]any{"the document": d.HolmesGPT, "scalars": {
		"texts": []any{
			"", " ", "a b", "yes", "null", "~", "1", "1e3", "0x1f", "2024-01-01", "- a", "a: b", "#", "a #b", "'", `"`, "a\nb", "a\n", "\na\n\n",
			"\ttab", "é", "\u2028", "\U0001F600", "*a", "&a", "!a", "%", "@", "`", "{{ env.A }}", "a  b", strings.Repeat("word ", 60), strings.Repeat("x", 200),
		},
		"numbers": []any{0, -1, 1 << 53, uint64(1) << 63, 0.5, 1.0, 1e21, -2.5e-9},
		"others":  []any{true, false, nil, []any{}, map[string]any{}, []any{[]any{1}}, []string{"a"}},
		"a1":      1, "a9": map[string]any{"Z": 1, "a": 2, "1": 3, "true": 4}, "multi": map[string]any{"text": "one\ntwo\n", "spaces": " one\n  two\n"},
	}}
	for name, tree := range d.Compact {
		trees[name] = tree
	}
	for name, tree := range trees {
		want, err := yaml.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		got, err := marshal(header, tree)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(header+string(want), got); diff != "" {
			t.Errorf("%s (-kubectl +here):\n%s", name, diff)
		}
	}
}

func BenchmarkDocument(b *testing.B) {
	o := Options{Baseline: []string{"kubernetes/core", "kubernetes/logs"}, GenerationMarker: true}
	c, err := builtinCatalog()
	if err != nil {
		b.Fatal(err)
	}
	o.Types = c.Types
	findings := oneOfEach()
	b.ReportAllocs()
	for b.Loop() {
		d, err := Build(findings, o, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.Keys(); err != nil {
			b.Fatal(err)
		}
	}
}
