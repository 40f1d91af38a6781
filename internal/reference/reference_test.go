package reference

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

const root = "../.."

// The pages in docs/reference are what the code says today.
func TestPagesAreUpToDate(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	pages, err := Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	there, err := os.ReadDir(dir(root, Dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	extra := map[string]bool{}
	for _, f := range there {
		extra[f.Name()] = true
	}
	for _, p := range pages {
		delete(extra, p.Name)
		got, err := os.ReadFile(filepath.Join(dir(root, Dir), p.Name))
		if err != nil {
			t.Errorf("%v: make docs writes it", err)
			continue
		}
		if d := cmp.Diff(p.Content(), string(got)); d != "" {
			t.Errorf("%s/%s is not what the code says: make docs brings it up to date (-code +file):\n%s", Dir, p.Name, d)
		}
	}
	for name := range extra {
		t.Errorf("%s/%s is none of the pages that are made from the code: remove it", Dir, name)
	}
}

func TestSameBytes(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	first, err := Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBECONFIG", "elsewhere")
	t.Setenv("KUBECACHEDIR", "elsewhere")
	second, err := Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, second); d != "" {
		t.Errorf("made twice, with another HOME:\n%s", d)
	}
}

// A comment that names a default names the one that is used.
func TestDefaultsInComments(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	t.Attr("req", "DTS-CFG-1")
	keys, err := Keys(root)
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
		if used := strings.Trim(k.Default, `"`); said != used {
			t.Errorf("%s: its comment says the default is %s; it is %s", k.Path, said, used)
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
		"`a|b` * <c":                     "`a\\|b` \\* &lt;c",
	} {
		if got := prose(in); got != want {
			t.Errorf("prose(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	list, err := Events(root)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Event{}
	for _, e := range list {
		got[e.Reason] = e
	}
	want := Event{Reason: "OverridesInvalid", Warning: true, On: "ConfigMap", Note: "the last good overrides stay in force: …"}
	if !slices.Contains(list, want) { // one of two with that reason
		t.Errorf("no %+v among %+v", want, list)
	}
	if e := got["BadAnnotation"]; e.On != "Service" || !e.Warning {
		t.Errorf("BadAnnotation = %+v, want a Warning on a Service", e)
	}
}

// Constants are read without running the compiler: those that are sums of others too.
func TestConstants(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	keys, err := Annotations(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 12 || keys[0] != "kubernaut.io/toolset" || keys[8] != "kubernaut.io/toolset-health-path" {
		t.Errorf("annotations: %q", keys)
	}
	s, err := parse(dir(root, "internal/backend"))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.constant("", string(backend.Accepted)); got != "published, or would be" {
		t.Errorf("comment on Accepted: %q", got)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var m markdown
	m.para("Words.")
	m.table([]string{"a", "b"}, [][]string{{span("x|y"), "two\nlines"}})
	m.code("yaml", "k: v\n")
	var want bytes.Buffer
	want.WriteString("Words.\n\n| a | b |\n|---|---|\n| `x\\|y` | two lines |\n\n```yaml\nk: v\n```\n\n")
	if d := cmp.Diff(want.String(), m.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
