package yamlfile

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// Set lays one flag "path=value" over the file, before Decode; schema is what will be decoded into. The path's keys are
// joined by dots; a dot inside a key is written "\.". The value is YAML ("[a, b]", "{a: b}", 3), and replaces what the file
// says there; for a text it may stand as it is, unquoted. An empty value is an empty text, list or mapping. Errors name the
// flag by its path alone, since its value may be a secret: option is its name, e.g. "--set".
func (f *File) Set(option, assignment string, schema any) {
	path, text, ok := strings.Cut(assignment, "=")
	keys := splitPath(path)
	t, shown, wrong := f.target(keys, reflect.TypeOf(schema).Elem())
	flag := strings.TrimSuffix(option+" "+shown, " ")
	switch {
	case !ok || slices.Contains(keys, ""):
		f.add(place{file: flag}, "", "expected path=value, e.g. health.interval=1m")
		return
	case wrong != nil:
		f.add(place{file: option + " " + wrong.Path}, wrong.Path, wrong.Message)
		return
	}
	value, err := valueOf(flag, text, t)
	if err != nil {
		var errs Errors
		if errors.As(err, &errs) {
			err = errors.New(errs[0].Message)
		}
		f.add(place{file: flag}, shown, err.Error())
		return
	}
	f.origin[value] = flag
	f.put(keys, value)
}

// target is the type that a path leads to, and the path as errors show it, both as far as the schema knows the keys. The
// error is about the first key that it does not know.
func (f *File) target(keys []string, t reflect.Type) (at reflect.Type, shown string, wrong *Error) {
	secret := false
	for _, key := range keys {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		next := Key(shown, key)
		if secret && (f.names == nil || !f.names(key, false)) {
			next = below(shown, keyNotShown)
		}
		switch {
		case t.Kind() == reflect.Struct && !decodesItself(t):
			fields, known := fieldsOf(t)
			field, ok := fields[key]
			if !ok {
				return t, shown, &Error{Path: next, Message: unknown(key, known)}
			}
			t, shown = t.Field(field.index).Type, Key(shown, key)
			secret = secret || field.secret
		case t.Kind() == reflect.Map:
			t, shown = t.Elem(), next
		default:
			return t, shown, &Error{Path: next, Message: "unknown key; " + shown + " is " + expected(t) + " and has no keys"}
		}
	}
	return t, shown, nil
}

// splitPath splits at dots that no backslash precedes.
func splitPath(path string) []string {
	var keys []string
	var key strings.Builder
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path) && (path[i+1] == '.' || path[i+1] == '\\'):
			i++
			key.WriteByte(path[i])
		case path[i] == '.':
			keys = append(keys, key.String())
			key.Reset()
		default:
			key.WriteByte(path[i])
		}
	}
	return append(keys, key.String())
}

// valueOf parses a flag's value for a target of type t.
func valueOf(flag, text string, t reflect.Type) (*yaml.Node, error) {
	quoted := strings.HasPrefix(text, `"`) || strings.HasPrefix(text, `'`)
	if t.Kind() == reflect.String && !quoted {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, nil
	}
	if strings.TrimSpace(text) == "" {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}, nil
	}
	f, err := Parse(flag, []byte(text))
	if err != nil {
		if text == "null" || text == "~" {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}, nil
		}
		return nil, err
	}
	withoutLines(f.root, 0)
	return f.root, nil
}

// withoutLines removes positions, which mean nothing inside a flag.
func withoutLines(n *yaml.Node, depth int) {
	n.Line, n.Column = 0, 0
	if depth > maxDepth {
		return
	}
	for _, c := range n.Content {
		withoutLines(c, depth+1)
	}
}

// put places value into the tree. Where the file has something else than a mapping on the way, Decode will say so.
func (f *File) put(keys []string, value *yaml.Node) {
	n := f.root
	for i, key := range keys {
		if n.Kind != yaml.MappingNode {
			return
		}
		slot := find(n, key)
		if slot == nil {
			n.Content = append(n.Content,
				&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"})
			slot = &n.Content[len(n.Content)-1]
		}
		switch old := *slot; {
		case i == len(keys)-1:
			*slot = value
		case isNull(old):
			*slot = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			f.origin[*slot] = f.origin[value] // it is there for the flag's sake alone
		case old.Kind == yaml.AliasNode && old.Alias.Kind == yaml.MappingNode:
			// Other places that share the anchor must not change.
			c := *old.Alias
			c.Anchor, c.Content = "", slices.Clone(c.Content)
			c.Line, c.Column = old.Line, old.Column
			*slot = &c
		}
		n = *slot
	}
}

// find is the slot of a key's value, or nil.
func find(n *yaml.Node, key string) **yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return &n.Content[i+1]
		}
	}
	return nil
}
