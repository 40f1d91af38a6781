// Command reference writes the pages in docs/reference from the code (make docs). Keys, types and defaults are from the
// values that the program uses; their descriptions are from the comments beside them.
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
	about string // its content in one line, for the index
	write func(m *markdown, root string) error
}

var pages = [...]page{
	{"configuration.md", "Configuration", "every key of the configuration file", configuration},
	{"commands.md", "Command line", "every command and flag", commands},
	{"annotations.md", "Annotations", "every annotation of a Service", annotations},
	{"types.md", "Built-in types", "how each type is recognised and proven, and what is written for it", types},
	{"catalog.md", "Catalog schema", "every field of a backend type's file", catalogSchema},
	{"configmap.md", "The ConfigMap", "every key, with its owner", configMap},
	{"api.md", "HTTP API", "every route, parameter and schema", httpAPI},
	{"reasons.md", "Reason codes", "every code of a verdict or a warning", reasons},
	{"metrics.md", "Metrics", "every metric and the values of its labels", metricsPage},
	{"events.md", "Events", "every Kubernetes Event that the service records", events},
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

// render returns all pages by file name. The same code gives the same bytes.
func render(root string) (map[string]string, error) {
	texts := map[string]string{}
	var index markdown
	index.title("Reference")
	index.para("Complete lists, generated from the code by `make docs`. " +
		"The [guides](../README.md) explain how to use them.")
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
