//go:build holmes

package holmes

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestTokens has HolmesGPT load one and three of each, and what its model then reads cost what the catalog says, give or take
// a fifth. What it measures is logged: -v shows it.
func TestTokens(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-SEC-3 DTS-OUT-11")
	types := builtinTypes(t)
	unseen := catalog.Baseline()
	for _, typ := range types {
		for i := range typ.Toolset.HolmesGPT {
			e := &typ.Toolset.HolmesGPT[i]
			if e.Cost() == (catalog.Tokens{}) || e.HTTP != nil && e.Tokens == (catalog.Tokens{}) {
				t.Errorf("type %s: %s has no tokens", typ.Type, e.Name)
			}
			if e.HTTP == nil {
				unseen[e.Name] = e.Tokens
			}
		}
	}
	for _, n := range []int{1, 3} {
		var services []service
		for _, s := range append(oneOfEach(), service{
			namespace: "shop", name: "books", port: "http", target: 8080, kind: standin.Custom,
			annotations: map[string]string{"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "custom"},
		}) {
			if !slices.Contains([]string{"thanos-query", "vmsingle-main", "mimir-gateway", "opensearch"}, s.name) { // relatives
				services = append(services, several(n, s)...)
			}
		}
		for name := range measure(t, types, services...) {
			delete(unseen, name)
		}
	}
	if len(unseen) > 0 {
		t.Errorf("not measured: %q", slices.Sorted(maps.Keys(unseen)))
	}
}

// TestWhatSeveralCost: each further instance costs a part of what a toolset of its own would.
func TestWhatSeveralCost(t *testing.T) {
	t.Attr("req", "DTS-PERF-10")
	kinds := map[string]service{}
	for _, s := range oneOfEach() {
		kinds[s.name] = s
	}
	services := slices.Concat(several(10, kinds["jaeger-query"]), several(3, kinds["prometheus"]), several(2, kinds["grafana"]))
	types := map[string]int{}
	for name, tokens := range measure(t, builtinTypes(t), services...) {
		typ, _, _ := strings.Cut(name, "/")
		types[typ] += tokens
	}
	for typ, most := range map[string]int{"jaeger": 1500, "prometheus": 6300, "grafana": 4100} {
		if got := types[typ]; got == 0 || got > most {
			t.Errorf("%s: %d tokens, want at most %d", typ, got, most)
		}
	}
}

func builtinTypes(t *testing.T) []*catalog.Type {
	t.Helper()
	known, err := catalog.Builtin()
	must(t, err)
	return known.Types
}

// several are so many of a Service, in namespaces of their own.
func several(n int, s service) (out []service) {
	for i := range n {
		other := s
		other.namespace = fmt.Sprintf("%s-%d", s.namespace, i)
		out = append(out, other)
	}
	return out
}

// measure has HolmesGPT load what is generated, and returns how many tokens each toolset adds to a request, which what this
// service says of it must come near.
func measure(t *testing.T, types []*catalog.Type, services ...service) map[string]int {
	t.Helper()
	file, hosts := cluster(t, services...)
	document, _ := generate(t, program.Binary(t), file, "--probe=direct")
	dir := t.TempDir()
	lines, err := Check(t.Context(), python(t), dir, []Case{{Name: "price", Document: document, Hosts: hosts, Expect: Expect{Price: true}}})
	must(t, err)
	report(t, lines)
	text, err := os.ReadFile(filepath.Join(dir, "price", "tokens.json"))
	must(t, err)
	var measured map[string]int
	must(t, json.Unmarshal(text, &measured))
	var tree map[string]any
	must(t, yaml.Unmarshal(document, &tree))
	said := toolset.Tokens(types, tree)
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		got := measured[name]
		t.Logf("%s: measured %d tokens, said to be %d", name, got, said[name])
		if off := said[name] - got; max(off, -off)*5 > got {
			t.Errorf("%s: costs %d tokens, which is more than a fifth off the %d of the catalog", name, got, said[name])
		}
	}
	return measured
}
