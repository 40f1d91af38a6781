package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"internal/safetext/a.go":          "package safetext\n\nfunc a() {\n}\n",
		"internal/safetext/b.go":          "package safetext\n\nfunc b() {\n" + strings.Repeat("\n", 140) + "}\n",
		"internal/safetext/a_test.go":     "package safetext\n\n",
		"internal/safetext/sub/c.go":      "package sub\n",
		"internal/safetext/testdata/d.go": "not Go\n",
		"test/real/main.go":               "package main\n",
		"cmd/x/main.go":                   "package main\n" + strings.Repeat("\n", 300),
	} {
		name := filepath.Join(root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := measure(root)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	over := s.report(&b)
	want := `internal/safetext           148  over 143
internal/safetext/sub         1
sum of internal             149
packages of internal          2
tests                         2
longest file                301  over 300    cmd/x/main.go
longest function            142  over 60     internal/safetext/b.go:3 b
`
	if d := cmp.Diff(want, b.String()); d != "" || over != 3 {
		t.Errorf("%d over their budgets (-want +got):\n%s", over, d)
	}
}
