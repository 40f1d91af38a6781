// Package consistency checks that names which are used in several places agree: in the code, the documents, the chart, the
// manifests, the alerts and the dashboard.
package consistency

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

const root = "../.."

// document is a Markdown file in its parts.
type document struct {
	name   string // below the root, with slashes
	lines  []line // outside of blocks of code
	blocks []block
}

// line is a line of text and its number.
type line struct {
	number int
	text   string
}

// block is a block of code. The number is that of the line before its first.
type block struct {
	number   int
	language string
	text     string
}

// parse takes a Markdown file apart.
func parse(name, text string) document {
	d := document{name: name}
	var fence string
	var code strings.Builder
	number := 0
	for l := range strings.Lines(text) {
		number++
		l = strings.TrimRight(l, "\n")
		trimmed := strings.TrimSpace(l)
		switch {
		case fence == "" && strings.HasPrefix(trimmed, "```"):
			fence = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]
			d.blocks = append(d.blocks, block{number: number, language: strings.TrimLeft(trimmed, "`")})
			code.Reset()
		case fence != "" && trimmed == fence:
			d.blocks[len(d.blocks)-1].text = code.String()
			fence = ""
		case fence != "":
			code.WriteString(l + "\n")
		default:
			d.lines = append(d.lines, line{number, l})
		}
	}
	return d
}

var codeSpan = regexp.MustCompile("``[^`].*?``|`[^`]+`")

// spans are the pieces of code within the text, each with the number of its line.
func (d *document) spans() (list []line) {
	for _, l := range d.lines {
		for _, s := range codeSpan.FindAllString(l.text, -1) {
			list = append(list, line{l.number, strings.ReplaceAll(strings.Trim(s, "`"), `\|`, "|")})
		}
	}
	return list
}

// at says where something is.
func (d *document) at(number int) string { return fmt.Sprintf("%s:%d", d.name, number) }

var (
	linkText = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	heading  = regexp.MustCompile(`^#{1,6} +(.*?)(?: +#+)?$`)
	named    = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
)

// anchors are the fragments that may stand behind a link to the document, as GitHub makes them.
func (d *document) anchors() map[string]bool {
	set := map[string]bool{}
	for _, l := range d.lines {
		for _, m := range named.FindAllStringSubmatch(l.text, -1) {
			set[m[1]] = true
		}
		m := heading.FindStringSubmatch(l.text)
		if m == nil {
			continue
		}
		base := slug(linkText.ReplaceAllString(m[1], "$1"))
		anchor := base
		for n := 1; set[anchor]; n++ {
			anchor = fmt.Sprintf("%s-%d", base, n)
		}
		set[anchor] = true
	}
	return set
}

func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// files are those below some folder, "" being all of it, whose names end so, by their names with slashes.
func files(t *testing.T, folder string, endings ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	top := filepath.Join(root, filepath.FromSlash(folder))
	if _, err := os.Stat(top); err != nil {
		return found
	}
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if path != top && (base == ".git" || base == "testdata" || base == "bin" || base == "dist" || base == "node_modules" || base == "corpus") {
				return filepath.SkipDir
			}
			return nil
		}
		for _, ending := range endings {
			if strings.HasSuffix(base, ending) {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				name, err := filepath.Rel(root, path)
				found[filepath.ToSlash(name)] = string(data)
				return err
			}
		}
		return nil
	})
	fatal(t, err)
	return found
}

// documents are all Markdown files of the repository.
func documents(t *testing.T) map[string]document {
	t.Helper()
	list := map[string]document{}
	for name, text := range files(t, "", ".md") {
		list[name] = parse(name, text)
	}
	if len(list) < 10 {
		t.Fatalf("only %d Markdown files found", len(list))
	}
	return list
}
