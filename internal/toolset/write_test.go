package toolset

import (
	"strings"
	"testing"

	yaml3 "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// TestTextsThatPythonMisreads has a stranger's tenant, note and type stand in quotes where HolmesGPT's YAML reader takes them for a
// number or a date, and fails on the whole file. 0x_ is a tenant's name to Loki.
func TestTextsThatPythonMisreads(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	t.Attr("req", "DTS-OUT-5")
	texts := []string{
		"0x_", "-0x_", "+0b_", "0b__", "0x" + strings.Repeat("f", 20), "0b" + strings.Repeat("1", 70), "2001-99-99", "2024-02-30",
		"2001-99-99 1:2:3", "=", "<<", ".5_",
	}
	for _, text := range texts {
		tenant := found("loki", "evil/x", 3100, named("evil/x/"+text), func(f *backend.Finding) {
			f.Candidate.Tenant, f.Candidate.TenantHeader = text, "X-Scope-OrgID"
		})
		findings := []*backend.Finding{tenant, found("custom", "evil/é", 80, own, primary, note(text))}
		typ := "prometheus"
		if isLabel(text) {
			typ = text
			findings = append(findings, found(typ, "evil/z", 80, own))
		}
		key := strings.ReplaceAll(text, ".", "") // HolmesGPT takes no dots there
		o := parse(t, `{toolsets: {own/one: {enabled: false, description: x, tools: [], config: {ü: ["`+text+`", {"`+key+`": "`+text+`"}]}}}}`)
		d, err := Build(findings, options(t), o)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		keys, err := d.Keys()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for key, where := range map[string]string{
			KeyHolmesGPT: `X-Scope-OrgID: "` + text + `"`, KeyCompact("loki"): `tenant: "` + text + `"`, KeyCompact("custom"): `description: "` + text + `"`,
		} {
			if !strings.Contains(keys[key], where+"\n") {
				t.Errorf("%s lacks %s:\n%s", key, where, keys[key])
			}
		}
		if isLabel(text) && !strings.Contains(keys[KeyCompact(typ)], `toolset: "`+text+`"`) {
			t.Errorf("its type is without quotes:\n%s", keys[KeyCompact(typ)])
		}
		for key, written := range keys {
			var root yaml3.Node
			if err := yaml3.Unmarshal([]byte(written), &root); err != nil {
				t.Fatalf("%s: %v\n%s", key, err, written)
			}
			if n := plain(&root, text); n != nil {
				t.Errorf("%s: %q is without quotes in line %d:\n%s", key, text, n.Line, written)
			}
		}
	}
}

// plain is a node that is written as that text and without quotes, nil for none.
func plain(n *yaml3.Node, text string) *yaml3.Node {
	if n.Kind == yaml3.ScalarNode && n.Style == 0 && n.Value == text {
		return n
	}
	for _, c := range n.Content {
		if found := plain(c, text); found != nil {
			return found
		}
	}
	return nil
}
