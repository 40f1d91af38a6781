package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/cli"
)

func types(m *markdown, _ string) error {
	c, err := catalog.Builtin()
	if err != nil {
		return err
	}
	m.para("The file of each type, as `dynamic-toolset catalog TYPE` prints it: how a backend is recognised, " +
		"rejected, reached and proven, and what is written. `$(url)` is the base URL, `$(instance)` the name of the " +
		"instance, and " +
		"`$(namespace)/$(service)` its Service. Values may begin or end with a `*`. The [schema](catalog.md) " +
		"explains each key; [your own types](../catalog.md) have the same form.")
	rows := [][]string{{"type", "use", "toolset of HolmesGPT", "variables of the primary, if it requires credentials"}}
	for _, t := range c.Types {
		var toolsets, variables []string
		for i := range t.Toolset.HolmesGPT {
			toolsets = append(toolsets, t.EntryName(i, false))
		}
		for _, c := range t.Toolset.Credentials {
			if c.Variable != "" {
				variables = append(variables, c.Variable)
			}
		}
		rows = append(rows, []string{link(t.Title, t.Type), prose(t.Summary), spans(toolsets), spans(variables)})
	}
	m.table(rows...)
	for _, t := range c.Types {
		file, err := output("catalog", t.Type)
		if err != nil {
			return err
		}
		m.heading(2, t.Type)
		m.code("yaml", file)
	}
	return nil
}

// output is what a command prints.
func output(args ...string) (string, error) {
	var out, errors bytes.Buffer
	streams := cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errors}
	if code := cli.Run(context.Background(), "dynamic-toolset", args, streams); code != 0 {
		return "", fmt.Errorf("dynamic-toolset %s: exit code %d: %s", strings.Join(args, " "), code, errors.String())
	}
	return out.String(), nil
}

func catalogSchema(m *markdown, root string) error {
	s, err := parse(root, "internal/catalog")
	if err != nil {
		return err
	}
	m.para("A backend type is one YAML file. It is built in or in `catalog.dir`, which is searched for `.yaml` and " +
		"`.yml` files. A type with the name of a built-in one replaces it. A file with an error is left out and " +
		"reported with file, line and field; the other files still load. `dynamic-toolset validate FILE` checks a " +
		"file. The guide has [a worked example](../catalog.md); the [built-in types](types.md) are more examples.")
	structs := []reflect.Type{reflect.TypeFor[catalog.Type]()}
	for i := 0; i < len(structs); i++ { // each adds those of its fields
		if structs, err = structure(m, s, structs[i], structs); err != nil {
			return err
		}
	}
	m.heading(2, "Errors in a file")
	m.para("From the tests, one line for each mistake:")
	files, err := filepath.Glob(filepath.Join(root, "internal", "catalog", "testdata", "*", "want.txt"))
	if err != nil {
		return err
	}
	for i, name := range files {
		if files[i], err = filepath.Rel(root, name); err != nil {
			return err
		}
	}
	bad, err := golden(root, files...)
	m.code("text", bad)
	return err
}

// structure describes a struct, and adds the structs of its fields to the list.
func structure(m *markdown, s *source, t reflect.Type, list []reflect.Type) ([]reflect.Type, error) {
	rows := [][]string{{"field", "type", "meaning"}}
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		kind, inner := typeName(f.Type)
		meaning := prose(sentence(f.Name, s.fields[t.Name()+"."+f.Name]))
		if inner != nil {
			meaning = cmp.Or(meaning, prose(sentence(inner.Name(), s.types[inner.Name()])))
			if !slices.Contains(list, inner) {
				list = append(list, inner)
			}
		}
		if meaning == "" {
			return nil, fmt.Errorf("the field %s of %s has no comment", f.Name, t)
		}
		rows = append(rows, []string{span(key), kind, meaning})
	}
	m.heading(2, t.Name())
	m.para(prose(sentence(t.Name(), s.types[t.Name()])))
	m.table(rows...)
	return list, nil
}

// typeName is a type in YAML's words, and the struct in it, if any.
func typeName(t reflect.Type) (string, reflect.Type) {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration", nil
	case reflect.TypeFor[netip.Prefix]():
		return "network", nil
	case reflect.TypeFor[catalog.Values]():
		return "text or list of texts", nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return link(t.Name(), t.Name()), t
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice:
		name, inner := typeName(t.Elem())
		if inner == nil {
			name += "s"
		}
		return "list of " + name, inner
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface || t.Elem().Kind() == reflect.Map {
			return "mapping", nil
		}
		name, inner := typeName(t.Elem())
		return "mapping to " + name, inner
	case reflect.Bool:
		return "true or false", nil
	case reflect.Int, reflect.Int32:
		return "number", nil
	}
	return "text", nil
}
