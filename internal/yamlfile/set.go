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

// Set puts one flag "path=value" over the file. Call it before Decode. option is the flag's name, such as --set. The
// path's keys are joined by dots; a dot inside a key is written "\.". The value is YAML ("[a, b]", "{a: b}", 3); a text
// needs no quotes. An empty value is an empty text, list or mapping. It replaces the file's value, which is not decoded
// and so has no faults. Errors name the flag by its path, since its value may be a secret.
func (f *File) Set(option, assignment string) {
	path, text, ok := strings.Cut(assignment, "=")
	path = strings.NewReplacer(`\\`, `\`, `\.`, "\x00", ".", "\n").Replace(path) // no key holds these
	root := &value{set: &flag{option: option}}
	end := root
	keys := strings.SplitN(path, "\n", maxDepth) // no schema is as deep
	for _, key := range keys {
		end.node = &yaml.Node{Kind: yaml.MappingNode}
		m := &value{up: end, key: &yaml.Node{Kind: yaml.ScalarNode, Value: strings.ReplaceAll(key, "\x00", ".")}}
		end.members, end.byKey = []*value{m}, map[string]*value{m.key.Value: m}
		end = m
	}
	end.node = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if !ok {
		end.node = cut("no value")
		root.secret = true // it may be a value for another flag
	}
	end.unparsed, root.set.end = true, end
	for _, earlier := range f.roots {
		if old := end.within(earlier); old != nil {
			old.replaced = true
		}
	}
	f.roots = append(f.roots, root)
}

// within returns the value with v's path below another root, or nil.
func (v *value) within(root *value) *value {
	if v.up == nil {
		return root
	}
	if above := v.up.within(root); above != nil {
		return above.byKey[v.key.Value]
	}
	return nil
}

// parseFlag parses the text of a flag as YAML, unless a text is expected and it has no quotes.
func (v *value) parseFlag(expected reflect.Kind) *Error {
	text := v.node.Value
	quoted := strings.HasPrefix(text, `"`) || strings.HasPrefix(text, `'`)
	switch {
	case !v.unparsed:
		return nil
	case v.node.Kind == 0:
		return &Error{Message: "expected path=value, e.g. health.interval=1m"}
	case expected == reflect.String && !quoted:
		return nil
	}
	v.unparsed = false
	return v.parse([]byte(text))
}

// flag returns the name of the flag that v is from, with the part of its path that the schema knows; "" if v is from
// the file.
func (v *value) flag() string {
	flag := v.root().set
	if flag == nil {
		return ""
	}
	end := flag.end
	for !end.reached && end.up != nil {
		end = end.up
	}
	return strings.TrimSuffix(flag.option+" "+end.path(), " ")
}

// leadsToFlag reports whether v is a mapping above a flag's value. The file's other keys in such a mapping stay.
func (v *value) leadsToFlag() bool {
	flag := v.root().set
	return flag != nil && v != flag.end
}

func (v *value) root() *value {
	for v.up != nil {
		v = v.up
	}
	return v
}
