package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// The pages in docs/reference are what the code says today, whoever runs make docs, which writes those that are missing and
// removes what is no page.
func TestPagesAreUpToDate(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("KUBECONFIG", "elsewhere")
	t.Setenv("KUBECACHEDIR", "elsewhere")
	err = errors.Join(os.Symlink(filepath.Join(here, "internal"), filepath.Join(dir, "internal")),
		os.MkdirAll(filepath.Join(dir, folder), 0o700), os.WriteFile(filepath.Join(dir, folder, "old.md"), nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(files(t, dir), files(t, root)); d != "" {
		t.Errorf("%s is not what the code says: make docs brings it up to date (-code +files):\n%s", folder, d)
	}
}

// files are the files in the folder of pages, by name.
func files(t *testing.T, root string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(name)] = string(text)
	}
	return texts
}

// A comment that names a default names the one that is used.
func TestDefaultsInComments(t *testing.T) {
	t.Attr("req", "DTS-DOC-1 DTS-CFG-1")
	keys, err := configKeys(root)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, k := range keys {
		said := strings.Trim(k.said, `"`)
		if said == "" {
			continue
		}
		checked++
		if used := strings.Trim(k.byDefault, `"`); said != used {
			t.Errorf("%s: its comment says the default is %s; it is %s", k.path, said, used)
		}
	}
	if checked < 30 {
		t.Errorf("only %d comments name a default", checked)
	}
}

func TestSplitDefault(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		"Interval between checks. Default 30s.":            {"Interval between checks.", "30s"},
		"A directory. Default \"\": none.":                 {"A directory. By default: none.", `""`},
		"Address to listen on. Default \":8080\".":         {"Address to listen on.", `":8080"`},
		"Networks. Default: 0.0.0.0/8 and others.":         {"Networks. Default: 0.0.0.0/8 and others.", ""},
		"Formats written. Default [holmesgpt, compact].":   {"Formats written.", "[holmesgpt, compact]"},
		"Nothing about it.":                                {"Nothing about it.", ""},
		"With each type's default names.":                  {"With each type's default names.", ""},
		"Primary of a type. Default {}: the recorded one.": {"Primary of a type. By default: the recorded one.", "{}"},
	} {
		if meaning, said := splitDefault(in); meaning != want[0] || said != want[1] {
			t.Errorf("%q: %q, %q; want %q", in, meaning, said, want)
		}
	}
}

func TestProse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`a | b and "*"`:                  "a \\| b and `\"*\"`",
		"<namespace>/<service> or \n it": "`<namespace>/<service>` or it",
		"$(url) in {{ env.X }}":          "`$(url)` in `{{ env.X }}`",
		"$(label:KEY) or $(service)":     "`$(label:KEY)` or `$(service)`",
		"`a|b` * <c":                     "`a\\|b` \\* &lt;c",
	} {
		if got := prose(in); got != want {
			t.Errorf("prose(%q) = %s, want %s", in, got, want)
		}
	}
}

// What is read from the sources, without running the compiler: Events, constants that are sums of others, comments.
func TestSources(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	all := files(t, root)
	for page, lines := range map[string][]string{
		"events.md": {
			"| `OverridesInvalid` | Warning | ConfigMap | the last good overrides stay in force: … |",
			"| `BadAnnotation` | Warning | Service | the problem, and what to do about it |",
		},
		"types.md":       {"| [Jaeger](#jaeger) | Traces and the services they cross | `jaeger` | "},
		"annotations.md": {"| `kubernaut.io/toolset` | ", "| `kubernaut.io/toolset-health-path` | Another name for "},
		"metrics.md":     {"- `state`: `accepted` (published, or ready to be), "},
		"api.md":         {"| `GET /api/v1/services` | List the Services with their verdicts | `list services` |"},
	} {
		for _, line := range lines {
			if !strings.Contains(all[page], "\n"+line) {
				t.Errorf("%s has no line that begins with %s", page, line)
			}
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var m markdown
	m.para("Words.")
	m.table([]string{"a", "b"}, []string{span("x|y"), "two\nlines"})
	m.code("yaml", "k: v\n")
	var want bytes.Buffer
	want.WriteString("Words.\n\n| a | b |\n|---|---|\n| `x\\|y` | two lines |\n\n```yaml\nk: v\n```\n\n")
	if d := cmp.Diff(want.String(), m.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
