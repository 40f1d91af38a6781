package yamlfile

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v3"
)

// Decode reads the document, then the flags, into out, a pointer. A struct field has the name in its yaml tag; "-" or
// no name leaves it out. Errors show no value at or below a field with the tag secret:"true", or below a key that is
// named like a secret (SecretName) in a tree without a schema. Err returns the errors.
func (f *File) Decode(out any) {
	f.root.reached = true
	f.decode(f.root, reflect.ValueOf(out).Elem())
}

func (f *File) decode(v *value, out reflect.Value) {
	kind := out.Kind()
	if err := v.parseFlag(kind); err != nil {
		f.fail(v, err.Message)
		return
	}
	switch {
	case decodesItself(out.Type()):
		f.leaf(v, out)
	case isNull(v.node) && kind == reflect.Struct: // a heading under which everything is commented out
	case isNull(v.node) && (kind == reflect.Map || kind == reflect.Slice ||
		kind == reflect.Interface || kind == reflect.Pointer):
		out.SetZero()
	case kind == reflect.Pointer:
		if out.IsNil() {
			out.Set(reflect.New(out.Type().Elem()))
		}
		f.decode(v, out.Elem())
	case kind == reflect.Struct:
		f.structure(v, out)
	case kind == reflect.Map:
		f.mapping(v, out)
	case kind == reflect.Slice:
		f.list(v, out)
	case kind == reflect.Interface:
		f.tree(v, out)
	default:
		f.leaf(v, out)
	}
}

// leaf has the YAML package decode a value. The package would read an empty value as zero, and 1.5 as the integer 1:
// both are reported instead.
func (f *File) leaf(v *value, out reflect.Value) {
	p := reflect.New(out.Type())
	wrong := isNull(v.node) || out.CanInt() && v.node.ShortTag() == "!!float"
	if wrong || v.node.Decode(p.Interface()) != nil {
		f.mismatch(v, expected(out.Type()))
		return
	}
	out.Set(p.Elem())
	for _, m := range v.members {
		f.enter(v, m)
	}
}

func (f *File) structure(v *value, out reflect.Value) {
	fields, known := fieldsOf(out.Type())
	for _, m := range f.keys(v) {
		field, ok := fields[m.key.Value]
		if !ok {
			f.failKey(m, f.unknown(m.key.Value, known))
			continue
		}
		m.hidden = false
		m.secret = m.secret || field.secret
		f.decode(m, out.Field(field.index))
	}
}

type field struct {
	index  int
	secret bool
}

// fieldsOf returns a struct's fields by their YAML keys, and the keys in the order of the fields.
func fieldsOf(t reflect.Type) (fields map[string]field, known []string) {
	fields = map[string]field{}
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		if name, _, _ := strings.Cut(tag.Get("yaml"), ","); name != "" && name != "-" {
			fields[name] = field{i, tag.Get("secret") == "true"}
			known = append(known, name)
		}
	}
	return fields, known
}

func (f *File) mapping(v *value, out reflect.Value) {
	t := out.Type()
	v.tree = v.tree || t.Elem().Kind() == reflect.Interface
	keys := f.keys(v)
	if v.broken {
		return
	}
	out.Set(reflect.MakeMap(t))
	for _, m := range keys {
		m.secret = m.secret || v.tree && namesSecret(m.key.Value)
		e := reflect.New(t.Elem()).Elem()
		f.decode(m, e)
		out.SetMapIndex(reflect.ValueOf(m.key.Value).Convert(t.Key()), e)
	}
}

func (f *File) list(v *value, out reflect.Value) {
	if v.node.Kind != yaml.SequenceNode {
		f.mismatch(v, expected(out.Type()))
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(v.members), len(v.members)))
	for i, m := range v.members {
		f.enter(v, m)
		f.decode(m, out.Index(i))
	}
}

// tree decodes a value without a schema.
func (f *File) tree(v *value, out reflect.Value) {
	v.tree = true
	var inner reflect.Value
	switch n := v.node; {
	case n.Kind == yaml.MappingNode:
		inner = reflect.New(reflect.TypeFor[map[string]any]()).Elem()
	case n.Kind == yaml.SequenceNode:
		inner = reflect.New(reflect.TypeFor[[]any]()).Elem()
	case !f.python || n.Kind != yaml.ScalarNode || n.Style != 0 || PythonTag(n.Value) == n.ShortTag():
		f.leaf(v, out)
		return
	case PythonTag(n.Value) == "!!bool":
		inner = reflect.New(reflect.TypeFor[bool]()).Elem()
	default:
		inner = reflect.New(reflect.TypeFor[string]()).Elem()
	}
	f.decode(v, inner)
	out.Set(inner)
}

// keys returns the values of a mapping that have valid keys, and reports the others.
func (f *File) keys(v *value) (good []*value) {
	if v.node.Kind != yaml.MappingNode {
		f.mismatch(v, "a mapping")
		return nil
	}
	for _, m := range v.members {
		f.enter(v, m)
		switch first := v.byKey[m.key.Value]; {
		case m.key.Kind != yaml.ScalarNode:
			f.add(&value{up: v, at: m.key}, v.path(), "expected a key, found "+v.found(m.key))
		case isMerge(m.key):
			f.add(m, v.path(), "<< expected a mapping, found "+m.found(m.node))
		case first != m && v.flag() == "":
			f.failKey(m, "given twice; first on line "+strconv.Itoa(first.key.Line))
		case first != m:
			f.failKey(m, "given twice")
		default:
			good = append(good, m)
		}
	}
	return good
}

// failKey reports a fault of a value's key.
func (f *File) failKey(m *value, message string) {
	m.at = m.key
	f.fail(m, message)
}

// mismatch reports a value of another type than expected.
func (f *File) mismatch(v *value, expected string) {
	f.fail(v, "expected "+expected+", found "+v.found(v.node))
}

// decodesItself reports whether a type has its own decoding from YAML or from text.
func decodesItself(t reflect.Type) bool {
	switch reflect.New(t).Interface().(type) {
	case yaml.Unmarshaler, interface{ UnmarshalYAML(func(any) error) error }, encoding.TextUnmarshaler, *time.Duration:
		return true
	}
	return false
}
