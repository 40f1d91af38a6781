package view

import (
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// TestNoLinks: each reason has a text, and the object and where it leads are said before it, as far as they are known.
func TestNoLinks(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-CLI-4")
	f := &backend.Finding{}
	for _, code := range backend.NoLinks() {
		if noLinkTexts[code] == "" {
			t.Errorf("%s has no text", code)
		}
		f.NoLinks = append(f.NoLinks, backend.Exposure{By: "Ingress a/b", Host: "c.example", Path: "/d", Not: code})
	}
	shown := noLinks(f)
	if len(noLinkTexts) != len(f.NoLinks) || len(shown) != len(f.NoLinks) {
		t.Errorf("%d texts for %d codes, of which %d are shown", len(noLinkTexts), len(f.NoLinks), len(shown))
	}
	for i, want := range []string{"Ingress a/b, c.example/d: why", "Ingress a/b: why", "why"} {
		n := NoLink{Object: "Ingress a/b", URL: "c.example/d", Reason: "why"}
		if i > 0 {
			n.URL = ""
		}
		if i > 1 {
			n.Object = ""
		}
		if got := n.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
