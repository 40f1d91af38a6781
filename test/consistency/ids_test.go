package consistency

import (
	"regexp"
	"strings"
	"testing"
)

// Ids of requirements are for tests alone: no user has the list that they refer to.
func TestIDs(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	id := regexp.MustCompile(`\bDTS-[A-Z]+-[0-9]+`)
	read := 0
	for _, folder := range []string{"docs", "charts", "deploy", "examples", "internal", "cmd"} {
		for name, text := range files(t, folder, ".md", ".svg", ".yaml", ".yml", ".json", ".tpl", ".txt", ".html", ".css", ".js", ".go") {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			read++
			if found := id.FindString(text); found != "" {
				t.Errorf("%s names %s", name, found)
			}
		}
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		if found := id.FindString(files(t, "", name)[name]); found != "" {
			t.Errorf("%s names %s", name, found)
		}
	}
	if read < 200 {
		t.Errorf("only %d files read", read)
	}
}
