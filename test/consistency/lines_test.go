package consistency

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// shippedCode calls see for each Go file that is not a test, with its path from the root and its lines.
func shippedCode(t *testing.T, see func(path string, lines []string)) {
	t.Helper()
	root, files := filepath.Join("..", ".."), 0
	for _, folder := range []string{"cmd", "internal", "tools"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			path, err = filepath.Rel(root, path)
			files++
			see(filepath.ToSlash(path), strings.Split(string(text), "\n"))
			return err
		})
		fatal(t, err)
	}
	if files < 200 {
		t.Errorf("only %d files were read", files)
	}
}

// A reader of the code has no list of requirements: comments give the reason itself.
func TestShippedCodeNamesNoRequirement(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	id := regexp.MustCompile(`DTS-[A-Z]+-[0-9]`)
	shippedCode(t, func(path string, lines []string) {
		for i, line := range lines {
			if id.MatchString(line) {
				t.Errorf("%s:%d names a requirement: %s", path, i+1, strings.TrimSpace(line))
			}
		}
	})
}

// Lines fit beside each other on a screen. Tags of struct fields cannot be broken.
func TestLinesAreShort(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	const most, tab = 120, "    "
	tag := regexp.MustCompile("`[a-z]+:\"")
	shippedCode(t, func(path string, lines []string) {
		for i, line := range lines {
			if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", tab)); n > most && !tag.MatchString(line) {
				t.Errorf("%s:%d has %d columns, want at most %d", path, i+1, n, most)
			}
		}
	})
}
