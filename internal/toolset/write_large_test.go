package toolset

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v2"
)

// A large tree is written in pieces, and as the library writes it in one.
func TestLargeIsWrittenAsInOnePiece(t *testing.T) {
	t.Attr("req", "DTS-OUT-5")
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		tree := map[string]any{"toolsets": randomTree(r, 3), "mcp_servers": randomTree(r, 2), "x": randomTree(r, 3)}
		want, err := yaml.Marshal((&writer{}).ordered(tree))
		if err != nil {
			t.Fatal(err)
		}
		got, err := marshal("", tree)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			i := 0
			for i < min(len(got), len(want)) && got[i] == want[i] {
				i++
			}
			from := max(0, i-200)
			t.Fatalf("seed %d: got\n%.400s\nwant\n%.400s", seed, got[from:], want[from:])
		}
	}
}

// randomTree has texts that are folded, quoted and written as blocks, and keys that differ in numbers.
func randomTree(r *rand.Rand, deep int) any {
	texts := []string{
		"", "true", "a: b", "- x", "http://a:80", "one\ntwo\n", strings.Repeat("Ask me first. ", r.IntN(40)), strings.Repeat("k", 90), "'", "\"é\"",
	}
	word := func() string { return texts[r.IntN(len(texts))] }
	switch n := r.IntN(24); {
	case deep == 0:
		return word()
	case n%4 == 0:
		list := make([]any, n)
		for i := range list {
			list[i] = randomTree(r, deep-1)
		}
		return list
	default:
		m := map[string]any{}
		for range n {
			key := fmt.Sprintf("%s%0*d%s", []string{"", "x", "x/", "é-", "X"}[r.IntN(5)], r.IntN(3), r.IntN(200), []string{"", "-", "a", "_0"}[r.IntN(4)])
			if r.IntN(50) == 0 {
				key = strings.Repeat(key, 200)
			}
			m[key] = randomTree(r, deep-1)
		}
		return m
	}
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
