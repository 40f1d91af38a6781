package yamlfile

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// Set lays one flag "path=value" over the file, before Decode; schema is what will be decoded into. The path's keys are
// joined by dots; a dot inside a key is written "\.". The value is YAML ("[a, b]", "{a: b}", 3), and replaces what the file
// says there; for a text it may stand as it is, unquoted. An empty value is an empty text, list or mapping. Errors name the
// flag: option is its name, e.g. "--set".
func (f *File) Set(option, assignment string, schema any) {
	flag := option + " " + assignment
	fail := func(path, format string, args ...any) {
		f.add(place{file: flag}, path, fmt.Sprintf(format, args...))
	}
	path, text, ok := strings.Cut(assignment, "=")
	keys := splitPath(path)
	if !ok || slices.Contains(keys, "") {
		fail("", "expected path=value, e.g. health.interval=1m")
		return
	}
	t := reflect.TypeOf(schema).Elem()
	shown := ""
	for _, key := range keys {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch below := Key(shown, key); {
		case t.Kind() == reflect.Struct && !decodesItself(t):
			fields, names := fieldsOf(t)
			i, known := fields[key]
			if !known {
				fail(below, "%s", unknown(key, names))
				return
			}
			t, shown = t.Field(i).Type, below
		case t.Kind() == reflect.Map:
			t, shown = t.Elem(), below
		default:
			fail(below, "unknown key; %s is %s and has no keys", shown, expected(t))
			return
		}
	}
	value, err := valueOf(flag, text, t)
	if err != nil {
		var errs Errors
		if errors.As(err, &errs) {
			err = errors.New(errs[0].Message)
		}
		fail(shown, "%v", err)
		return
	}
	f.origin[value] = flag
	f.put(keys, value)
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
