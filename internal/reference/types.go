package reference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/cli"
)

func types(string) (Page, error) {
	p := Page{Name: "types.md", Title: "Built-in types", About: "every backend that is recognised: how, how it is proven, and what is written for it"}
	c, err := catalog.Builtin()
	if err != nil {
		return p, err
	}
	var m markdown
	m.para("What `dynamic-toolset catalog` says of each, and what is written for it, where `$(url)` is the base URL, " +
		"`$(instance)` the instance's name and `$(namespace)/$(service)` its Service. Values may begin or end with a `*`. " +
		"The [schema](catalog.md) says what each word means; [types of your own](../catalog.md) look the same.")
	var rows [][]string
	for _, t := range c.Types {
		rows = append(rows, []string{
			fmt.Sprintf("[%s](#%s)", t.Title, t.Type), prose(t.Summary), spans(toolsets(t)), spans(variables(t)),
		})
	}
	m.table([]string{"type", "what it is good for", "toolset of HolmesGPT", "variables that the primary uses if it wants credentials"}, rows)
	for _, t := range c.Types {
		m.heading(2, t.Type)
		text, err := run("catalog", t.Type)
		if err != nil {
			return p, err
		}
		m.code("text", text)
		if err := written(&m, t); err != nil {
			return p, err
		}
	}
	p.Text = m.String()
	return p, nil
}

func toolsets(t *catalog.Type) []string {
	var names []string
	for _, e := range t.Toolset.HolmesGPT {
		name := e.Name
		if name == "" {
			name = t.Type + "/<namespace>/<service>"
		}
		names = append(names, name)
	}
	return names
}

func variables(t *catalog.Type) []string {
	var names []string
	for _, c := range t.Toolset.Credentials {
		if c.Variable != "" {
			names = append(names, c.Variable)
		}
	}
	return names
}

// written shows the templates of what is written.
func written(m *markdown, t *catalog.Type) error {
	m.para("Written for each instance, as in the catalog:")
	entries := make([]map[string]any, 0, len(t.Toolset.HolmesGPT))
	for _, e := range t.Toolset.HolmesGPT {
		entry := map[string]any{}
		for key, value := range map[string]string{"name": e.Name, "description": e.Description, "instructions": e.Instructions} {
			if value != "" {
				entry[key] = value
			}
		}
		if len(e.Instance) > 0 {
			entry["instance"] = e.Instance
		}
		if e.HTTP != nil {
			entry["http"] = map[string]any{"paths": e.HTTP.Paths, "health": e.HTTP.Health}
		}
		entries = append(entries, entry)
	}
	tree := map[string]any{"holmesgpt": entries}
	if len(t.Toolset.Compact) > 0 {
		tree["compact"] = t.Toolset.Compact
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(tree), enc.Close()); err != nil {
		return fmt.Errorf("type %s: %w", t.Type, err)
	}
	m.code("yaml", b.String())
	if len(t.Toolset.Credentials) == 0 {
		return nil
	}
	var rows [][]string
	for _, c := range t.Toolset.Credentials {
		path := first(strings.Join(c.Path, "."), c.Field)
		if c.Auth != "" {
			path = "auth of the endpoint: " + span(c.Auth)
		} else {
			path = span(path)
		}
		if c.Prefix != "" {
			path += ", after " + span(strings.TrimSpace(c.Prefix))
		}
		rows = append(rows, []string{span(c.Field), path, span(c.Variable), span(c.Compact)})
	}
	m.table([]string{"credential", "goes into", "variable of the primary", "in the compact form"}, rows)
	return nil
}

// run is what a command prints.
func run(args ...string) (string, error) {
	var out, told bytes.Buffer
	streams := cli.Streams{In: strings.NewReader(""), Out: &out, Err: &told}
	if code := cli.Run(context.Background(), "dynamic-toolset", args, streams); code != 0 {
		return "", errors.New("dynamic-toolset " + strings.Join(args, " ") + " ended with " + strconv.Itoa(code) + ": " + told.String())
	}
	return out.String(), nil
}
