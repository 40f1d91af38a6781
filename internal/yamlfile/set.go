package yamlfile

import (
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// flag is one path=value of the command line.
type flag struct {
	option string // its name, such as --set
	end    *value // the value at the end of the path
}

// Set puts one flag "path=value" into the document. Call it before Decode. option is the flag's name, such as --set.
// The path's keys are joined by dots; a dot inside a key is written "\.". The value is YAML ("[a, b]", "{a: b}", 3); a
// text needs no quotes. An empty value is an empty text, list or mapping. It replaces the document's value, which is
// not decoded and so has no faults. Errors name the flag by its path, since its value may be a secret.
func (f *File) Set(option, assignment string) {
	path, text, ok := strings.Cut(assignment, "=")
	if !ok { // it is not shown, because it may be a value for another flag
		f.errs = append(f.errs, Error{File: option, Message: "expected path=value, e.g. health.interval=1m"})
		return
	}
	path = strings.NewReplacer(`\\`, `\`, `\.`, "\x00", ".", "\n").Replace(path) // no key holds these
	end, set := f.root, &flag{option: option}
	for _, key := range strings.SplitN(path, "\n", maxDepth) { // no schema is as deep
		end = end.child(strings.ReplaceAll(key, "\x00", "."), set)
	}
	end.become(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, set)
	end.unparsed, set.end = true, end
}

// child returns the value of a key of v. It adds what the document does not have.
func (v *value) child(key string, set *flag) *value {
	// An earlier flag may have given the whole mapping. A value that is no mapping is replaced.
	if whole := *v; v.unparsed && v.parseFlag(reflect.Map) != nil {
		*v = whole // not YAML, which Decode reports
		return &value{up: v, key: &yaml.Node{Kind: yaml.ScalarNode, Value: key}}
	}
	if v.byKey == nil {
		v.become(&yaml.Node{Kind: yaml.MappingNode}, set)
		v.byKey = map[string]*value{}
	}
	m := v.byKey[key]
	if m == nil {
		m = &value{up: v, key: &yaml.Node{Kind: yaml.ScalarNode, Value: key}}
		v.members, v.byKey[key] = append(v.members, m), m
	}
	if m.node == nil || m.set != nil {
		m.set = set
	}
	return m
}

// become replaces what v holds by a node of a flag.
func (v *value) become(node *yaml.Node, set *flag) {
	v.node, v.at, v.members, v.byKey, v.set, v.unparsed = node, nil, nil, nil, set, false
}

// parseFlag parses the text of a flag as YAML, unless a text is expected and it has no quotes.
func (v *value) parseFlag(expected reflect.Kind) *Error {
	text := v.node.Value
	quoted := strings.HasPrefix(text, `"`) || strings.HasPrefix(text, `'`)
	if !v.unparsed || expected == reflect.String && !quoted {
		return nil
	}
	v.unparsed = false
	return v.parse([]byte(text))
}

// flag returns the name of the flag that v is from, with the part of its path that the schema knows; "" if v is from
// the file.
func (v *value) flag() string {
	for v.set == nil {
		if v.up == nil {
			return ""
		}
		v = v.up
	}
	end := v.set.end
	for !end.reached && end.up != nil {
		end = end.up
	}
	return strings.TrimSuffix(v.set.option+" "+end.path(), " ")
}
