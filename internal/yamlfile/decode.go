package yamlfile

import (
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// Decode reads the document into out, a pointer to a struct or another value, and keeps what is wrong for Err. Struct
// fields are named by their yaml tags; "-" leaves one out.
func (f *File) Decode(out any) {
	d := decoder{f: f}
	d.value(at{node: f.root, shown: f.root, file: f.name}, reflect.ValueOf(out).Elem())
	if d.nodes > maxNodes {
		// What was decoded by then says nothing that would help.
		f.errs = Errors{{File: f.name, Message: "too many values once its aliases are expanded"}}
		f.broken = []string{""}
	}
}

type decoder struct {
	f     *File
	nodes int
}

// at is a node and how it was reached.
type at struct {
	node  *yaml.Node
	shown *yaml.Node // whose position is shown: the key of a block, the alias of an anchor
	path  string
	file  string
	depth int
}

// child is a value below a.
func (a at) child(path string, key, value *yaml.Node) at {
	c := at{node: value, shown: value, path: path, file: a.file, depth: a.depth + 1}
	block := value.Kind == yaml.MappingNode || value.Kind == yaml.SequenceNode
	if key != nil && (block && value.Style&yaml.FlowStyle == 0 || isNull(value)) {
		c.shown = key
	}
	return c
}

func (d *decoder) fail(a at, message string) {
	d.f.broken = append(d.f.broken, a.path)
	d.f.add(place{a.file, a.shown.Line, a.shown.Column}, a.path, message)
}

// enter follows aliases, notes the position and guards against files built to be large. False: go no further.
func (d *decoder) enter(a *at) bool {
	if d.nodes++; d.nodes > maxNodes {
		return false
	}
	if flag, ok := d.f.origin[a.node]; ok {
		a.file = flag
	}
	if a.node.Kind == yaml.AliasNode {
		a.node = a.node.Alias
	}
	d.f.places[a.path] = place{a.file, a.shown.Line, a.shown.Column}
	if a.depth > maxDepth {
		d.fail(*a, "nested too deep, or holds itself")
		return false
	}
	return true
}

func (d *decoder) value(a at, v reflect.Value) {
	if !d.enter(&a) {
		return
	}
	t := v.Type()
	itself := decodesItself(t)
	if isNull(a.node) {
		switch t.Kind() {
		case reflect.Struct, reflect.Map, reflect.Slice, reflect.Interface, reflect.Pointer:
			// A heading under which everything is commented out says nothing; for a list that is an empty one.
			if t.Kind() != reflect.Struct && !itself {
				v.SetZero()
				return
			}
			if !itself {
				return
			}
		}
		d.fail(a, "expected "+expected(t)+", found nothing")
		return
	}
	switch {
	case itself:
		d.leaf(a, v)
		d.positions(a)
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		d.value(a, p.Elem())
		v.Set(p)
	case t.Kind() == reflect.Struct:
		d.structure(a, v)
	case t.Kind() == reflect.Map:
		d.mapping(a, v)
	case t.Kind() == reflect.Slice:
		d.list(a, v)
	case t.Kind() == reflect.Interface:
		d.tree(a, v)
	default:
		d.leaf(a, v)
	}
}

// leaf leaves it to the YAML package to read one value.
func (d *decoder) leaf(a at, v reflect.Value) {
	p := reflect.New(v.Type())
	// The YAML package would cut 1.5 down to 1.
	cut := v.CanInt() && a.node.ShortTag() == "!!float"
	if err := a.node.Decode(p.Interface()); err != nil || cut {
		d.fail(a, "expected "+expected(v.Type())+", found "+found(a.node))
		return
	}
	v.Set(p.Elem())
}

func (d *decoder) structure(a at, v reflect.Value) {
	if a.node.Kind != yaml.MappingNode {
		d.fail(a, "expected a mapping, found "+found(a.node))
		return
	}
	fields, names := fieldsOf(v.Type())
	for _, p := range d.pairs(a, 0) {
		c := a.child(Key(a.path, p.key.Value), p.key, p.value)
		i, ok := fields[p.key.Value]
		if !ok {
			c.shown = p.key
			d.fail(c, unknown(p.key.Value, names))
			continue
		}
		d.value(c, v.Field(i))
	}
}

// fieldsOf maps a struct's YAML keys to its fields; names has the keys in the order of the fields.
func fieldsOf(t reflect.Type) (fields map[string]int, names []string) {
	fields = map[string]int{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name != "" && name != "-" {
			fields[name] = i
			names = append(names, name)
		}
	}
	return fields, names
}

func (d *decoder) mapping(a at, v reflect.Value) {
	if a.node.Kind != yaml.MappingNode {
		d.fail(a, "expected a mapping, found "+found(a.node))
		return
	}
	t := v.Type()
	m := reflect.MakeMap(t)
	for _, p := range d.pairs(a, 0) {
		e := reflect.New(t.Elem()).Elem()
		d.value(a.child(Key(a.path, p.key.Value), p.key, p.value), e)
		m.SetMapIndex(reflect.ValueOf(p.key.Value).Convert(t.Key()), e)
	}
	v.Set(m)
}

func (d *decoder) list(a at, v reflect.Value) {
	if a.node.Kind != yaml.SequenceNode {
		like := ""
		if v.Type().Elem().Kind() == reflect.String {
			like = " such as [a, b]"
		}
		d.fail(a, "expected a list"+like+", found "+found(a.node))
		return
	}
	s := reflect.MakeSlice(v.Type(), len(a.node.Content), len(a.node.Content))
	for i, n := range a.node.Content {
		d.value(a.child(Index(a.path, i), nil, n), s.Index(i))
	}
	v.Set(s)
}

// tree decodes what has no schema: map[string]any, []any and scalars.
func (d *decoder) tree(a at, v reflect.Value) {
	var out reflect.Value
	switch a.node.Kind {
	case yaml.MappingNode:
		out = reflect.ValueOf(new(map[string]any)).Elem()
		d.mapping(a, out)
	case yaml.SequenceNode:
		out = reflect.ValueOf(new([]any)).Elem()
		d.list(a, out)
	default:
		d.leaf(a, v)
		return
	}
	v.Set(out)
}

// positions notes where the items of a value lie that decoded itself.
func (d *decoder) positions(a at) {
	if a.node.Kind != yaml.SequenceNode {
		return
	}
	for i, n := range a.node.Content {
		c := a.child(Index(a.path, i), nil, n)
		d.f.places[c.path] = place{c.file, n.Line, n.Column}
	}
}
