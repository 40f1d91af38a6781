//go:build holmes

package holmes

import (
	"testing"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestRepeatedInstructions has HolmesGPT tell the agent as much about each instance as the catalog says, by which what one owner
// may have it read is bounded.
func TestRepeatedInstructions(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	t.Attr("req", "DTS-OUT-11")
	known, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	repeats := map[string]int{"custom/shop/books": catalog.HTTPRead}
	for _, typ := range known.Types {
		for _, e := range typ.Toolset.HolmesGPT {
			if e.HTTP == nil && e.Repeats > 0 {
				repeats[e.Name] = e.Repeats
			}
		}
	}
	services := []service{{
		namespace: "shop", name: "books", port: "http", target: 8080, kind: standin.Custom,
		annotations: map[string]string{"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "custom"},
	}}
	for _, namespace := range []string{"one", "two"} {
		for _, s := range oneOfEach() {
			s.namespace = namespace + "-" + s.namespace
			services = append(services, s)
		}
	}
	file, hosts := cluster(t, services...)
	document, _ := generate(t, build(t), file, "--probe=direct")
	check(t, Case{Name: "two-of-each", Document: document, Hosts: hosts, Expect: Expect{Repeats: repeats}})
}
