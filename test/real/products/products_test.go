package products

import "testing"

// Each product says where it comes from, once, and has a name of its own.
func TestAll(t *testing.T) {
	t.Attr("req", "DTS-QA-4")
	seen := map[string]bool{}
	for _, p := range All() {
		origins := 0
		for _, has := range []bool{p.Go != nil, p.Debian != nil, p.Maven != nil} {
			if has {
				origins++
			}
		}
		if origins != 1 {
			t.Errorf("%s: %d origins, want one", p.Name, origins)
		}
		if p.Version == "" && p.Debian == nil {
			t.Errorf("%s: no version", p.Name)
		}
		if p.Seconds == 0 || seen[p.Name] {
			t.Errorf("%s: no time to build, or a name that another has", p.Name)
		}
		seen[p.Name] = true
	}
}
