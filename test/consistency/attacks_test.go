package consistency

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var namedTest = regexp.MustCompile("`([a-z]+)/((?:Test|Benchmark)[A-Za-z0-9]+)`")

// The tests that the page of attacks names are there, in the packages that it names.
func TestNamedTestsExist(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-DOC-1")
	page, err := os.ReadFile(filepath.Join(root, "docs", "development", "attacks.md"))
	fatal(t, err)
	named := namedTest.FindAllStringSubmatch(string(page), -1)
	if len(named) < 100 {
		t.Errorf("only %d tests are found in the page", len(named))
	}
	for _, m := range named {
		if !hasTest(t, m[1], m[2]) {
			t.Errorf("%s has no %s", m[1], m[2])
		}
	}
}

// hasTest reports whether a package below internal or test has a test of that name.
func hasTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	for _, parent := range []string{"internal", "test"} {
		files, err := filepath.Glob(filepath.Join(root, parent, pkg, "*_test.go"))
		fatal(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			fatal(t, err)
			if strings.Contains(string(text), "func "+name+"(") {
				return true
			}
		}
	}
	return false
}
