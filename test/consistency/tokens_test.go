package consistency

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

var tokensRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| ([0-9]+ \\| [0-9]+) \\|")

// The page has the figures of the catalog.
func TestTokens(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	known, err := catalog.Builtin()
	fatal(t, err)
	figures := catalog.Baseline()
	figures["custom"] = catalog.HTTPTokens()
	for _, typ := range known.Types {
		for i := range typ.Toolset.HolmesGPT {
			e := &typ.Toolset.HolmesGPT[i]
			name := e.Name
			if name == "" {
				name = typ.Type
			}
			if before, has := figures[name]; has && before != e.Tokens {
				t.Errorf("%s: type %s says %v, another %v", name, typ.Type, e.Tokens, before)
			}
			figures[name] = e.Tokens
		}
	}
	want, got := map[string]string{}, map[string]string{}
	for name, f := range figures {
		want[name] = fmt.Sprintf("%d | %d", f.Toolset, f.Instance)
	}
	for _, m := range tokensRow.FindAllStringSubmatch(files(t, "docs", "tokens.md")["docs/tokens.md"], -1) {
		got[m[1]] = m[2]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/tokens.md, -want +got:\n%s", diff)
	}
}
