package consistency

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// Lines fit beside each other on a screen. Tags of struct fields cannot be broken.
func TestLinesAreShort(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	const most, tab = 120, "    "
	tag := regexp.MustCompile("`[a-z]+:\"")
	read := 0
	for _, folder := range []string{"cmd", "internal", "tools"} {
		for name, text := range files(t, folder, ".go") {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			read++
			for i, line := range strings.Split(text, "\n") {
				if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", tab)); n > most && !tag.MatchString(line) {
					t.Errorf("%s:%d has %d columns, want at most %d", name, i+1, n, most)
				}
			}
		}
	}
	if read < 200 {
		t.Errorf("only %d files were read", read)
	}
}

// Ids of requirements are for tests alone: no user has the list that they refer to.
func TestIDs(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	id := regexp.MustCompile(`\bDTS-[A-Z]+-[0-9]+`)
	read := 0
	for _, folder := range []string{"docs", "charts", "deploy", "examples", "internal", "cmd", "tools"} {
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
