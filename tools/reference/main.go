// Command reference writes the pages in docs/reference from the code (make docs): keys, types and defaults come from the
// values that the program uses, and what they mean from the comments beside them.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// folder holds the pages, below the root of the repository.
const folder = "docs/reference"

// page is one file of the folder.
type page struct {
	name  string // of the file
	title string
	about string // what it lists, in a sentence
	write func(m *markdown, root string) error
}

var pages = [...]page{
	{"configuration.md", "Configuration", "every key of the configuration file", configuration},
	{"commands.md", "Command line", "every command and flag", commands},
	{"annotations.md", "Annotations", "every annotation that is read from Services", annotations},
	{"types.md", "Built-in types", "every backend that is recognised: how, how it is proven, and what is written for it", types},
	{"catalog.md", "Catalog schema", "every field of a backend type's file", catalogSchema},
	{"configmap.md", "The ConfigMap", "every key that is written, and whose it is", configMap},
	{"api.md", "HTTP API", "every route, parameter and shape", httpAPI},
	{"reasons.md", "Reason codes", "every code that says why a Service is, or is not, among the toolsets", reasons},
	{"metrics.md", "Metrics", "every metric and the values of its labels", metricsPage},
	{"events.md", "Events", "every Kubernetes Event that is recorded", events},
}

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "reference: "+err.Error())
		os.Exit(1)
	}
}

// run writes the pages of the repository at root, and removes files that are not pages any more.
func run(root string) error {
	texts, err := render(root)
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(root, folder, "*.md"))
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range old {
		if _, ok := texts[filepath.Base(name)]; !ok {
			errs = append(errs, os.Remove(name))
		}
	}
	for name, text := range texts {
		errs = append(errs, os.WriteFile(filepath.Join(root, folder, name), []byte(text), 0o644))
	}
	return errors.Join(errs...)
}

// render makes all pages, by the names of their files. The same code makes the same bytes.
func render(root string) (map[string]string, error) {
	texts := map[string]string{}
	var index markdown
	index.title("Reference")
	index.para("What there is, in full, made from the code by `make docs`. The [guides](../README.md) say how to use it.")
	for i := range pages {
		p := &pages[i]
		var m markdown
		m.title(p.title)
		if err := p.write(&m, root); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		texts[p.name] = strings.TrimRight(m.String(), "\n") + "\n"
		index.linef("- [%s](%s): %s", p.title, p.name, p.about)
	}
	texts["README.md"] = index.String()
	return texts, nil
}
