package reference

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// Key is one key of the configuration.
type Key struct {
	Path    string // its keys joined by dots
	Type    string
	Default string // as YAML on one line
	Meaning string
	said    string // the default that the comment names; "" if it names none
}

// Keys are all keys of the configuration in their order, sections included; of a section Type is "".
func Keys(root string) ([]Key, error) {
	s, err := parse(dir(root, "internal/config"))
	if err != nil {
		return nil, err
	}
	text, err := config.Default().YAML()
	if err != nil {
		return nil, err
	}
	var defaults yaml.Node
	if err := yaml.Unmarshal(text, &defaults); err != nil {
		return nil, fmt.Errorf("the defaults: %w", err)
	}
	r := keyReader{source: s}
	if err := r.structure("", reflect.TypeFor[config.Config](), defaults.Content[0]); err != nil {
		return nil, err
	}
	return r.keys, nil
}

type keyReader struct {
	source *source
	keys   []Key
}

// structure adds the keys of a struct. node is its default, which has the fields in their order.
func (r *keyReader) structure(path string, t reflect.Type, node *yaml.Node) error {
	docs := r.source.types[t.Name()]
	for i := range t.NumField() {
		f := t.Field(i)
		key := join(path, f.Tag.Get("yaml"))
		value := node.Content[2*i+1]
		doc := docs.fields[f.Name]
		if f.Type.Kind() == reflect.Struct {
			r.keys = append(r.keys, Key{Path: key, Meaning: first(doc, sentence(f.Type.Name(), r.source.types[f.Type.Name()].doc))})
			if err := r.structure(key, f.Type, value); err != nil {
				return err
			}
			continue
		}
		doc = first(doc, r.source.types[f.Type.Name()].doc)
		if doc == "" {
			return fmt.Errorf("the key %s has no comment", key)
		}
		meaning, said := splitDefault(sentence(f.Name, doc))
		flow, err := onOneLine(value)
		if err != nil {
			return err
		}
		r.keys = append(r.keys, Key{Path: key, Type: typeName(f.Type), Default: flow, Meaning: meaning, said: said})
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// splitDefault takes the sentence on the default off: its value stands in a column of its own, what it means stays.
func splitDefault(doc string) (meaning, said string) {
	at := strings.LastIndex(doc, "Default ")
	if at < 0 {
		return doc, ""
	}
	value := strings.TrimSuffix(doc[at+len("Default "):], ".")
	meaning = strings.TrimSpace(doc[:at])
	if v, what, ok := strings.Cut(value, ": "); ok {
		return meaning + " By default: " + what + ".", v
	}
	return meaning, value
}

// onOneLine is a value as YAML on one line.
func onOneLine(n *yaml.Node) (string, error) {
	flow := *n
	if n.Kind == yaml.ScalarNode {
		if n.Value == "" {
			return `""`, nil
		}
		return n.Value, nil
	}
	flow.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&flow)
	if err != nil {
		return "", fmt.Errorf("encoding a default: %w", err)
	}
	return strings.Join(strings.Fields(string(text)), " "), nil
}

// typeName is a type in YAML's words.
func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[netip.Prefix]():
		return "network"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32:
		return "number"
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "list of " + typeName(t.Elem()) + "s"
	case reflect.Map:
		return "mapping"
	}
	return t.Kind().String()
}

func configuration(root string) (Page, error) {
	p := Page{Name: "configuration.md", Title: "Configuration", About: "every key of the configuration file"}
	keys, err := Keys(root)
	if err != nil {
		return p, err
	}
	var m markdown
	m.para("One YAML file, given with `--config`; every key also as `--set path=value`, where `\\.` is a dot inside a key and the " +
		"value is YAML. A key that is not here, a value that cannot be meant and a key given twice are refused with file, line and " +
		"key, all of them at once. `dynamic-toolset validate FILE` and `dynamic-toolset serve --check` only check. Durations have " +
		"units: `250ms`, `30s`, `5m`. [What to do with them](../configuration.md) is told by task.")
	var top, rows [][]string
	section := Key{}
	flush := func() {
		if len(rows) == 0 {
			return
		}
		m.heading(2, section.Path)
		m.para(prose(section.Meaning))
		m.table([]string{"key", "type", "default", "meaning"}, rows)
		rows = nil
	}
	for _, k := range keys {
		row := []string{span(k.Path), k.Type, span(k.Default), prose(k.Meaning)}
		name, _, nested := strings.Cut(k.Path, ".")
		switch {
		case k.Type == "" && !nested:
			flush()
			section = k
		case k.Type == "":
		case name == section.Path:
			rows = append(rows, row)
		default:
			top = append(top, row)
		}
	}
	flush()
	body := m.String()
	m = markdown{}
	intro, rest, _ := strings.Cut(body, "\n\n")
	m.para(intro)
	m.heading(2, "Keys without a section")
	m.table([]string{"key", "type", "default", "meaning"}, top)
	m.WriteString(rest)

	m.heading(2, "The defaults as a file")
	text, err := config.Default().YAML()
	if err != nil {
		return p, err
	}
	m.code("yaml", string(text))
	m.heading(2, "What a bad file is told")
	m.para("From the tests, one line for each mistake:")
	bad, err := golden(root, "internal/config/testdata/bad-keys.txt", "internal/config/testdata/bad-values.txt")
	if err != nil {
		return p, err
	}
	m.code("text", bad)
	p.Text = m.String()
	return p, nil
}

// golden is what tests expect, without the folder that their files are in.
func golden(root string, names ...string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(dir(root, name))
		if err != nil {
			return "", err
		}
		folder := "testdata/" + filepath.Base(filepath.Dir(name)) + "/"
		for line := range strings.Lines(string(data)) {
			line = strings.TrimPrefix(line, folder)
			b.WriteString(strings.TrimPrefix(line, "testdata/"))
		}
	}
	return b.String(), nil
}
