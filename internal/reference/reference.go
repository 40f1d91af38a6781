// Package reference makes the reference pages in docs/reference from the code, so that nothing is said twice: keys, types
// and defaults come from the values that the program uses, and what they mean from the comments beside them.
//
// It is for make docs and for the test that compares the pages; the program that is shipped does not hold it.
package reference

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Dir is where the pages are, below the root of the repository.
const Dir = "docs/reference"

// Page is one file of Dir.
type Page struct {
	Name  string // of the file
	Title string
	About string // what it lists, in a sentence
	Text  string // without the title
}

const header = "<!-- Made from the code by `make docs`: changes made here are undone. -->\n\n"

// Content is the text of the file.
func (p *Page) Content() string { return header + "# " + p.Title + "\n\n" + p.Text }

// maker makes one page; root is the repository, whose sources it reads.
type maker func(root string) (Page, error)

// Pages are all pages in the order of the index, which is the last of them. The same code makes the same bytes.
func Pages(root string) ([]Page, error) {
	var pages []Page
	for _, page := range []maker{
		configuration, commands, annotations, types, catalogSchema, configMap, httpAPI, metricsPage, eventsPage,
	} {
		p, err := page(root)
		if err != nil {
			return nil, fmt.Errorf("reference page %s: %w", p.Name, err)
		}
		p.Text = strings.TrimRight(p.Text, "\n") + "\n"
		pages = append(pages, p)
	}
	return append(pages, index(pages)), nil
}

// index lists the pages.
func index(pages []Page) Page {
	var m markdown
	m.para("What there is, in full, made from the code by `make docs`. The [guides](../README.md) say how to use it.")
	for _, p := range pages {
		m.linef("- [%s](%s): %s", p.Title, p.Name, p.About)
	}
	return Page{Name: "README.md", Title: "Reference", Text: m.String()}
}

// dir is a folder of this repository.
func dir(root, path string) string { return filepath.Join(root, filepath.FromSlash(path)) }
