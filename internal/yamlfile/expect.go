package yamlfile

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// Expecter is implemented by types that decode themselves, to say in YAML's words what they accept: "a text or a list of
// texts". It is called on the zero value.
type Expecter interface{ YAMLExpected() string }

// decodesItself says that a type has its own way to be read from YAML or from text.
func decodesItself(t reflect.Type) bool {
	switch reflect.New(t).Interface().(type) {
	case yaml.Unmarshaler, interface{ UnmarshalYAML(func(any) error) error }, encoding.TextUnmarshaler, *time.Duration:
		return true
	}
	return false
}

// expected is a type in YAML's words.
func expected(t reflect.Type) string {
	switch v := reflect.New(t).Interface().(type) {
	case Expecter:
		return v.YAMLExpected()
	case *time.Duration:
		return "a duration such as 30s or 5m"
	case *netip.Prefix:
		return "a network such as 169.254.0.0/16 or fe80::/10"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return expected(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, 0 or more"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping"
	}
	return "a value"
}

// found describes a node, shortened.
func found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	}
	return Quote(n.Value)
}

// Quote is a value as errors show it: quoted, with control characters escaped, at most 60 characters.
func Quote(s string) string {
	const limit = 60
	if utf8.RuneCountInString(s) > limit {
		return strconv.Quote(string([]rune(s)[:limit])) + fmt.Sprintf("… (%d characters)", utf8.RuneCountInString(s))
	}
	return strconv.Quote(s)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
