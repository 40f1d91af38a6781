package main

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// key is one key of the configuration.
type key struct {
	path      string // its keys joined by dots
	kind      string // as YAML has it; "" for a section
	byDefault string // as YAML on one line
	meaning   string
	said      string // the default that the comment names, if any
}

// configKeys are all keys of the configuration in their order, sections included.
func configKeys(root string) ([]key, error) {
	s, err := parse(root, "internal/config")
	if err != nil {
		return nil, err
	}
	var defaults yaml.Node
	if err := yaml.Unmarshal([]byte(defaultsFile()), &defaults); err != nil {
		return nil, fmt.Errorf("the defaults: %w", err)
	}
	return keysOf(s, "", reflect.TypeFor[config.Config](), defaults.Content[0])
}

// defaultsFile is the default configuration as a file, with durations as people write them: 5m, not 5m0s.
func defaultsFile() string {
	var b strings.Builder
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	_ = enc.Encode(config.Default()) // a strings.Builder returns no error
	return strings.NewReplacer("h0m0s\n", "h\n", "m0s\n", "m\n").Replace(b.String())
}

// keysOf returns the keys of a struct. node is its default, with the fields in the same order; nil if only the comments
// name the defaults, as for an element of a list.
func keysOf(s *source, prefix string, t reflect.Type, node *yaml.Node) ([]key, error) {
	var list []key
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		k := key{path: prefix + name}
		ofType := sentence(f.Type.Name(), s.types[f.Type.Name()])
		k.meaning, k.said = splitDefault(cmp.Or(sentence(f.Name, s.fields[t.Name()+"."+f.Name]), ofType))
		if k.meaning == "" {
			return nil, fmt.Errorf("the key %s has no comment", k.path)
		}
		var value *yaml.Node
		if node != nil {
			value = node.Content[2*i+1]
		}
		if f.Type.Kind() == reflect.Struct {
			inner, err := keysOf(s, k.path+".", f.Type, value)
			if err != nil {
				return nil, err
			}
			list = append(append(list, k), inner...)
			continue
		}
		k.kind, _ = typeName(f.Type)
		if k.byDefault = k.said; value != nil {
			value.Style = yaml.FlowStyle
			text, err := yaml.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("the default of %s: %w", k.path, err)
			}
			k.byDefault = strings.Join(strings.Fields(string(text)), " ")
		}
		several, err := keysOfEach(s, &k, f.Type)
		if err != nil {
			return nil, err
		}
		list = append(append(list, k), several...)
	}
	return list, nil
}

// keysOfEach returns the keys of the structs in a mapping or a list; none for any other kind of value.
func keysOfEach(s *source, k *key, t reflect.Type) ([]key, error) {
	name := map[reflect.Kind]string{reflect.Map: ".NAME.", reflect.Slice: "[]."}[t.Kind()]
	if name == "" || t.Elem().Kind() != reflect.Struct ||
		reflect.PointerTo(t.Elem()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil, nil
	}
	k.kind = map[reflect.Kind]string{reflect.Map: "mapping", reflect.Slice: "list"}[t.Kind()]
	return keysOf(s, k.path+name, t.Elem(), nil)
}

// splitDefault separates the sentence on the default from a comment, because the page has a column for it.
func splitDefault(comment string) (meaning, said string) {
	at := strings.LastIndex(comment, "Default ")
	if at < 0 {
		return comment, ""
	}
	value := strings.TrimSuffix(comment[at+len("Default "):], ".")
	meaning = strings.TrimSpace(comment[:at])
	if v, what, ok := strings.Cut(value, ": "); ok {
		return meaning + " By default: " + what + ".", v
	}
	return meaning, value
}

func configuration(m *markdown, root string) error {
	keys, err := configKeys(root)
	if err != nil {
		return err
	}
	m.para("One YAML file, given with `--config`. Each key can also be given as `--set path=value`, where `\\.` is a " +
		"dot inside a key and the value is YAML. Unknown keys, invalid values and duplicate keys are errors, " +
		"reported all at once with file, line and key. `dynamic-toolset validate FILE` and `dynamic-toolset serve " +
		"--check` only check the file. Durations have units: `250ms`, `30s`, `5m`. The [guide](../configuration.md) " +
		"explains the keys by task.")
	rows := [][]string{{"key", "type", "default", "meaning"}}
	for _, k := range keys {
		rows = append(rows, []string{span(k.path), cmp.Or(k.kind, "section"), span(k.byDefault), prose(k.meaning)})
	}
	m.table(rows...)
	m.heading(2, "The defaults as a file")
	m.code("yaml", defaultsFile())
	m.heading(2, "Errors in a file")
	m.para("From the tests, one line for each mistake:")
	bad, err := golden(root, "internal/config/testdata/bad-keys.txt", "internal/config/testdata/bad-values.txt")
	m.code("text", bad)
	return err
}
