package reference

import (
	"fmt"
	"os"
	"reflect"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

func catalogSchema(root string) (Page, error) {
	p := Page{Name: "catalog.md", Title: "Catalog schema", About: "every field of a backend type's file"}
	s, err := parse(dir(root, "internal/catalog"))
	if err != nil {
		return p, err
	}
	var m markdown
	m.para("A backend type is one YAML file, built in or in `catalog.dir`, whose `.yaml` and `.yml` files are read. A type of the " +
		"name of a built-in one replaces it. A file with a mistake is left out, with file, line and field; the rest still loads. " +
		"`dynamic-toolset validate FILE` checks one. [A worked example](../catalog.md) shows how to write one; " +
		"the [built-in types](types.md) are others.")
	w := schemaWriter{source: s, m: &m, done: map[reflect.Type]bool{}}
	if err := w.structure(reflect.TypeFor[catalog.Type](), "A file"); err != nil {
		return p, err
	}
	m.heading(2, "What a bad file is told")
	m.para("From the tests, one line for each mistake:")
	folders, err := os.ReadDir(dir(root, "internal/catalog/testdata"))
	if err != nil {
		return p, err
	}
	var names []string
	for _, f := range folders {
		switch f.Name() {
		case "good", "one-bad":
		default:
			names = append(names, "internal/catalog/testdata/"+f.Name()+"/want.txt")
		}
	}
	bad, err := golden(root, names...)
	if err != nil {
		return p, err
	}
	m.code("text", bad)
	p.Text = m.String()
	return p, nil
}

// schemaWriter describes structs, each once, those that it holds after it.
type schemaWriter struct {
	source *source
	m      *markdown
	done   map[reflect.Type]bool
}

func (w *schemaWriter) structure(t reflect.Type, title string) error {
	if w.done[t] {
		return nil
	}
	w.done[t] = true
	docs, ok := w.source.types[t.Name()]
	if !ok {
		return fmt.Errorf("no source of %s", t)
	}
	w.m.heading(2, title)
	w.m.para(prose(sentence(t.Name(), docs.doc)))
	var rows [][]string
	var inner []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		name, structure := schemaType(f.Type)
		if structure != nil && structure != t {
			inner = append(inner, structure)
		}
		doc := docs.fields[f.Name]
		if structure != nil && doc == "" {
			doc = sentence(structure.Name(), w.source.types[structure.Name()].doc)
		}
		if doc == "" {
			doc = w.nextDoc(t, docs, i)
		}
		if doc == "" {
			return fmt.Errorf("the field %s of %s has no comment", f.Name, t)
		}
		rows = append(rows, []string{span(key), name, prose(sentence(f.Name, doc))})
	}
	w.m.table([]string{"field", "type", "meaning"}, rows)
	for _, s := range inner {
		if err := w.structure(s, s.Name()); err != nil {
			return err
		}
	}
	return nil
}

// nextDoc is the comment on the field before: one comment may stand over several fields.
func (w *schemaWriter) nextDoc(t reflect.Type, docs typeDoc, i int) string {
	for i--; i >= 0; i-- {
		if doc := docs.fields[t.Field(i).Name]; doc != "" {
			return "See " + span(t.Field(i).Tag.Get("yaml")) + "."
		}
	}
	return ""
}

// schemaType is a type in YAML's words, and the struct that it holds, if any.
func schemaType(t reflect.Type) (string, reflect.Type) {
	switch {
	case t == reflect.TypeFor[catalog.Values]():
		return "text or list of texts", nil
	case t.Kind() == reflect.Struct:
		return link(t), t
	case t.Kind() == reflect.Pointer:
		return schemaType(t.Elem())
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "list of " + link(t.Elem()), t.Elem()
	case t.Kind() == reflect.Map:
		value, _ := schemaType(t.Elem())
		if t.Elem().Kind() == reflect.Interface {
			return "mapping", nil
		}
		return "mapping to " + value, nil
	}
	return typeName(t), nil
}

func link(t reflect.Type) string { return fmt.Sprintf("[%s](#%s)", t.Name(), anchor(t.Name())) }
