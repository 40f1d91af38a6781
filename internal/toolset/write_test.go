package toolset

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The texts are those of the writer that kubectl uses, whatever the data.
func TestMarshalAsKubectl(t *testing.T) {
	t.Attr("req", "DTS-OUT-1")
	d := document(t, append(oneOfEach(), custom()...), options(t), "")
	trees := map[string]map[string]any{"the document": d.HolmesGPT, "scalars": {
		"texts": []any{
			"", " ", "a b", "yes", "null", "~", "1", "1e3", "0x1f", "2024-01-01", "- a", "a: b", "#", "a #b", "'", `"`, "a\nb", "a\n", "\na\n\n",
			"\ttab", "é", "\u2028", "\U0001F600", "*a", "&a", "!a", "%", "@", "`", "{{ env.A }}", "a  b", strings.Repeat("word ", 60), strings.Repeat("x", 200),
		},
		"numbers": []any{0, -1, 1 << 53, uint64(1) << 63, 0.5, 1.5e21, -2.5e-9},
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

// TestTextsThatPythonMisreads has a stranger's tenant, note and type stand in quotes where HolmesGPT's YAML reader takes them for a
// number or a date, and fails on the whole file. 0x_ is a tenant's name to Loki.
func TestTextsThatPythonMisreads(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-OUT-5")
	texts := []string{
		"0x_", "-0x_", "+0b_", "0b__", "0x" + strings.Repeat("f", 20), "0b" + strings.Repeat("1", 70), "2001-99-99", "2024-02-30",
		"2001-99-99 1:2:3", "=", "<<", ".5_", "1.0e+400",
		"2001-01-01 é", "2001-01-01 01:00:00." + strings.Repeat("0", 60) + " Z", // with more bytes, or broken into lines
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
		o := `{toolsets: {own/one: {enabled: false, description: x, tools: [], config: {ü: ["` + text + `", {"` + key + `": "` + text + `"}]}}}}`
		keys := keysOf(t, document(t, findings, options(t), o))
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

// TestScalarsAsPythonReadsThem has the admin's values mean to HolmesGPT, whose YAML reader is Python's, what they would mean if it read
// the overrides itself. Where no Go value is the same, or that reader fails, they stay the texts that they look like.
func TestScalarsAsPythonReadsThem(t *testing.T) {
	t.Attr("req", "DTS-OUT-5 DTS-OUT-6")
	for want, scalars := range map[string]string{ // as PyYAML 6.0 reads them
		"true": "true,True,TRUE,yes,Yes,YES,on,On,ON", "false": "false,False,FALSE,no,No,NO,off,Off,OFF", "null": "~,null,Null,NULL",
		"0": "0,-0,+0,00,0_,0x0", "1": "1,+1,01,0b1,+0x1,1_", "8": "8,010,0_10,0b1000", "-31": "-31,-0x1F,-0x1_f,-037", "1000": "1000,1_000",
		"18446744073709551615": "18446744073709551615,0xffffffffffffffff", "1.0": "1.,1.0,1_.0_,+1.0", "0.5": ".5,0.5", "-0.0": "-0.0,-0.",
		"1500.0": "1.5e+3,1500.", "1.0e-08": "0.00000001,1.0e-8", "-1.0e-09": "-1.0E-9", "5.0e+30": "5.0e+30", "1.5e+30": "1.5e+30",
		`"`: "08,-09,0_8,1e3,1E3,1e+3,-1e-9,1.5e3,5E+30,.5e3,+.5,-.5,0o17,0O17,-0o17,0X1F,0B1,-_1,+_0,'yes',!!str 08,!!str no," + // texts to it
			"1:30,12:30:45,-1:30,1:30.5,.5_,18446744073709551616,-9223372036854775809,100000000000000000000,0777777777777777777777777," +
			"0xfffffffffffffffff,1.0e+400,0x_,0b_,=,<<,2001-99-99,2001-12-14 21:59:43.10 -5",
		"": "_1,tRUE,yES,1.2.3,1-2,0x1p-2,.e3,1:60,2001-01-01x",
	} {
		for scalar := range strings.SplitSeq(scalars, ",") {
			written := want
			if want == "" || want == `"` {
				written = want + strings.Trim(strings.TrimPrefix(scalar, "!!str "), "'") + want
			}
			o := "{toolsets: {own/one: {enabled: false, description: x, tools: [], config: {n: [" + scalar + "], on: x}}}}"
			text := keysOf(t, document(t, nil, options(t), o))[KeyHolmesGPT]
			if !strings.Contains(text, "- "+written+"\n") || !strings.Contains(text, "\"on\": x\n") {
				t.Errorf("%s is not written as %s:\n%s", scalar, written, text)
			}
		}
	}
	if text, err := marshal("", []any{math.Inf(1), math.Inf(-1), math.NaN()}); err != nil || text != "- .inf\n- -.inf\n- .nan\n" {
		t.Errorf("no numbers: %v\n%s", err, text)
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

// The same data gives the same text, whatever strangers call their Services: the library's order of these goes round in a circle.
func TestOrderOfKeysHasNoCircles(t *testing.T) {
	t.Attr("req", "DTS-OUT-5")
	tree := map[string]any{"x": 1}
	for i := range 30 {
		tree[fmt.Sprint("x", i*i, string(rune('a'+i%3)))] = map[string]any{"x1a": 1, "x20a": 2, "x117a": 3}
	}
	first, err := marshal("", tree)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if again, err := marshal("", tree); err != nil || again != first {
			t.Fatalf("%v: the texts of the same data differ:\n%s\n%s", err, first, again)
		}
	}
}
