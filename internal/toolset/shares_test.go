package toolset

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		d, err := Build(all, options(t), parse(t, text))
		if err != nil {
			t.Fatal(err)
		}
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
