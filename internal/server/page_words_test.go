package server

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
)

// TestWords: the page has a word for every verdict and every kind of change.
func TestWords(t *testing.T) {
	t.Attr("req", "DTS-UI-1")
	content, err := static.ReadFile("static/assets/format.js")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	var names []string
	for _, v := range backend.Verdicts {
		names = append(names, string(v))
	}
	for _, k := range controller.ChangeKinds() {
		names = append(names, string(k))
	}
	for _, name := range names {
		if !strings.Contains(text, "\n  "+name+": {word:") && !strings.Contains(text, "\n  '"+name+"': {word:") {
			t.Errorf("format.js has no word for %q", name)
		}
	}
}
