package yamlfile

import (
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// Decode reads the document into out, a pointer to a struct or another value, and keeps what is wrong for Err. Struct
// fields are named by their yaml tags; "-" leaves one out. What stands at or below a field with the tag secret:"true" is
// never shown, nor is it below a key of a schemaless tree that sounds like a secret's.
func (f *File) Decode(out any) {
	d := decoder{f: f}
	d.value(at{node: f.root, shown: f.root, file: f.name}, reflect.ValueOf(out).Elem())
	if d.spent.over() {
		// What was decoded by then says nothing that would help.
		f.errs, f.more = Errors{{File: f.name, Message: "too many or too long values once its aliases are expanded"}}, 0
		f.broken = []string{""}
		reflect.ValueOf(out).Elem().SetZero() // so that nobody looks at all of it
	}
}

type decoder struct {
	f     *File
	spent budget
}

// at is a node and how it was reached.
type at struct {
	node  *yaml.Node
	shown *yaml.Node // whose position is shown: the key of a block, the alias of an anchor
	path  string
	file  string
	depth int

	secret bool
	names  names // which keys below a secret are shown; nil: none
	tree   bool  // schemaless: any value may be a secret, whatever its key is called
}

// child is a value below a. key is nil for an item of a list.
func (d *decoder) child(a at, path string, key, value *yaml.Node) at {
	c := at{
		node: value, shown: value, path: path, file: a.file, depth: a.depth + 1,
		secret: a.secret, names: a.names, tree: a.tree,
	}
	block := value.Kind == yaml.MappingNode || value.Kind == yaml.SequenceNode
	if key != nil && (block && value.Style&yaml.FlowStyle == 0 || isNull(value)) {
		c.shown = key
	}
	if a.secret {
		d.f.hide(c, a, key)
	}
	return c
}

// conceal makes c, a value below the key in a, a secret, if it is none yet. Of the keys below those names are shown.
func (d *decoder) conceal(c *at, a at, key *yaml.Node, below names) {
	switch {
	case !a.secret:
		d.f.hide(*c, a, key)
		c.secret, c.names = true, below
	case a.names != nil:
		c.names = below
	}
}

func (d *decoder) fail(a at, message string) {
	if d.f.add(place{a.file, a.shown.Line, a.shown.Column}, d.f.show(a.path), message) {
		d.f.broken = append(d.f.broken, a.path)
	}
}

// found describes a node, as far as it may be shown.
func (d *decoder) found(a at, n *yaml.Node) string {
	if text := found(n); !a.secret && !a.tree || n.Kind != yaml.ScalarNode || isNull(n) {
		return text
	}
	return notShown
}

// enter follows aliases, notes the position and guards against files built to be large. False: go no further.
func (d *decoder) enter(a *at) bool {
	if flag, ok := d.f.origin[a.node]; ok {
		a.file = flag
	}
	if a.node.Kind == yaml.AliasNode {
		a.node = a.node.Alias
	}
	if !d.spent.node(a.node, a.path) {
		return false
	}
	d.f.places[a.path] = place{a.file, a.shown.Line, a.shown.Column}
	if a.depth > maxDepth {
		d.fail(*a, tooDeep)
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
		d.itself(a, v)
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

// itself leaves it to a type to read a value, which is measured before: the YAML package expands its aliases.
func (d *decoder) itself(a at, v reflect.Value) {
	switch deep := d.spent.all(a.node, a.depth); {
	case d.spent.over():
	case deep:
		d.fail(a, tooDeep)
	default:
		d.read(a, v)
		d.positions(a)
	}
}

// leaf is one value.
func (d *decoder) leaf(a at, v reflect.Value) {
	if a.node.Kind != yaml.ScalarNode {
		d.fail(a, "expected "+expected(v.Type())+", found "+d.found(a, a.node))
		return
	}
	d.read(a, v)
}

// read leaves it to the YAML package to read a value.
func (d *decoder) read(a at, v reflect.Value) {
	p := reflect.New(v.Type())
	// The YAML package would cut 1.5 down to 1.
	cut := v.CanInt() && a.node.ShortTag() == "!!float"
	if err := a.node.Decode(p.Interface()); err != nil || cut {
		d.fail(a, "expected "+expected(v.Type())+", found "+d.found(a, a.node))
		return
	}
	v.Set(p.Elem())
}

func (d *decoder) structure(a at, v reflect.Value) {
	if a.node.Kind != yaml.MappingNode {
		d.fail(a, "expected a mapping, found "+d.found(a, a.node))
		return
	}
	fields, known := fieldsOf(v.Type())
	for _, p := range d.pairs(a, 0) {
		if d.spent.over() {
			return
		}
		c := d.child(a, Key(a.path, p.key.Value), p.key, p.value)
		field, ok := fields[p.key.Value]
		if !ok {
			c.shown = p.key
			message := "unknown key"
			if !d.f.full() { // finding the nearest takes time
				message = unknown(p.key.Value, known)
			}
			d.fail(c, message)
			continue
		}
		d.f.reveal(c.path)
		if field.secret {
			d.conceal(&c, a, p.key, d.f.names)
		}
		d.value(c, v.Field(field.index))
	}
}

type field struct {
	index  int
	secret bool
}

// fieldsOf maps a struct's YAML keys to its fields; known has the keys in the order of the fields.
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

func (d *decoder) mapping(a at, v reflect.Value) {
	if a.node.Kind != yaml.MappingNode {
		d.fail(a, "expected a mapping, found "+d.found(a, a.node))
		return
	}
	t := v.Type()
	a.tree = a.tree || t.Elem().Kind() == reflect.Interface
	m := reflect.MakeMap(t)
	for _, p := range d.pairs(a, 0) {
		if d.spent.over() {
			return
		}
		e := reflect.New(t.Elem()).Elem()
		c := d.child(a, Key(a.path, p.key.Value), p.key, p.value)
		if below, secret := namesBelow(p.key.Value); a.tree && secret {
			d.conceal(&c, a, p.key, below)
		}
		d.value(c, e)
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
		d.fail(a, "expected a list"+like+", found "+d.found(a, a.node))
		return
	}
	if !d.spent.room(len(a.node.Content)) {
		return
	}
	s := reflect.MakeSlice(v.Type(), len(a.node.Content), len(a.node.Content))
	for i, n := range a.node.Content {
		if d.spent.over() {
			return
		}
		d.value(d.child(a, Index(a.path, i), nil, n), s.Index(i))
	}
	v.Set(s)
}

// tree decodes what has no schema: map[string]any, []any and scalars.
func (d *decoder) tree(a at, v reflect.Value) {
	a.tree = true
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
		c := d.child(a, Index(a.path, i), nil, n)
		d.f.places[c.path] = place{c.file, n.Line, n.Column}
	}
}
