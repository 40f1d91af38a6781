package consistency

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var link = regexp.MustCompile(`\]\(([^)\s]+)(?: "[^"]*")?\)`)

// brokenLinks are the links of a document that lead nowhere within the repository; those to elsewhere are not asked.
func brokenLinks(d document, all map[string]document, exists func(name string) bool) (problems []string) {
	for _, l := range d.lines {
		for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(l.text, "code"), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") { // https:, mailto:
				continue
			}
			name := d.name
			if target != "" {
				name = path.Join(path.Dir(d.name), target)
			}
			if !exists(name) {
				problems = append(problems, fmt.Sprintf("%s: %s leads to no file", d.at(l.number), m[1]))
				continue
			}
			if to, ok := all[name]; ok && fragment != "" && !to.anchors()[fragment] {
				problems = append(problems, fmt.Sprintf("%s: %s has no heading #%s", d.at(l.number), name, fragment))
			}
		}
	}
	return problems
}

func TestLinks(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	all := documents(t)
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
		return err == nil && !strings.HasPrefix(name, "..")
	}
	for _, d := range all {
		for _, p := range brokenLinks(d, all, exists) {
			t.Error(p)
		}
	}
}

func TestLinksAreFound(t *testing.T) {
	t.Parallel()
	a := parse("docs/a.md", "# A `b` [c](a.md), d!\n\n## Same\n\n## Same\n\n<a id=\"other\"></a>\n```\n# no heading [x](gone.md)\n```\n"+
		"[up](../README.md) [self](#same-1) [named](a.md#other) [out](https://example.com/x.md#y) `[code](gone.md)`\n"+
		"[gone](b.md) [no heading](a.md#nope) ![picture](p.png \"a title\")\n")
	all := map[string]document{"docs/a.md": a}
	exists := func(name string) bool { return name == "README.md" || name == "docs/a.md" }
	if d := cmp.Diff(map[string]bool{"a-b-c-d": true, "same": true, "same-1": true, "other": true}, a.anchors()); d != "" {
		t.Errorf("anchors (-want +got):\n%s", d)
	}
	want := []string{
		"docs/a.md:12: b.md leads to no file",
		"docs/a.md:12: docs/a.md has no heading #nope",
		"docs/a.md:12: p.png leads to no file",
	}
	if d := cmp.Diff(want, brokenLinks(a, all, exists)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// Nothing in docs is an orphan: the index leads to every page.
func TestIndexIsWhole(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	all := documents(t)
	reached := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		d, ok := all[name]
		if !ok || reached[name] {
			return
		}
		reached[name] = true
		for _, l := range d.lines {
			for _, m := range link.FindAllStringSubmatch(l.text, -1) {
				target, _, _ := strings.Cut(m[1], "#")
				visit(path.Join(path.Dir(name), target))
			}
		}
	}
	visit("docs/README.md")
	for name := range all {
		if strings.HasPrefix(name, "docs/") && !reached[name] {
			t.Errorf("%s: docs/README.md does not lead to it", name)
		}
	}
}
