package consistency

import (
	"regexp"
	"strings"
	"testing"
)

// Each Event that wants somebody to act has its cure, and each code with a cure is one that the program gives.
func TestCures(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	text := files(t, "docs", "troubleshooting.md")["docs/troubleshooting.md"]
	warnings := 0
	for _, row := range listed(t, "events.md") {
		if row[1] != "Warning" {
			continue
		}
		if warnings++; !strings.Contains(text, "`"+row[0]+"`") {
			t.Errorf("docs/troubleshooting.md has no cure for the Event %s", row[0])
		}
	}
	known := map[string]bool{}
	for _, row := range listed(t, "reasons.md") {
		known[row[0]] = true
	}
	cured := 0
	for _, table := range strings.Split(text, "| code |")[1:] {
		rows, _, _ := strings.Cut(table, "\n\n")
		for _, code := range regexp.MustCompile("(?m)^\\| `([a-z-]+)`").FindAllStringSubmatch(rows, -1) {
			if cured++; !known[code[1]] {
				t.Errorf("docs/troubleshooting.md: no Service and no document gets the code %s", code[1])
			}
		}
	}
	if warnings < 8 || cured < 10 {
		t.Errorf("only %d Events and %d codes found", warnings, cured)
	}
}
