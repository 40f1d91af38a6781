package yamlfile

import (
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// flag is one path=value of the command line.
type flag struct {
	option string // its name, such as --set
	end    *value // what the path leads to
}

// Set lays one flag "path=value" over the file; call it before Decode. The path's keys are joined by dots; a dot
// inside a key is written "\.". The value is YAML ("[a, b]", "{a: b}", 3) and replaces what the file gives there; for
// a text quotes may be left out. An empty value is an empty text, list or mapping. What is replaced is not decoded,
// so that nothing is wrong with it. Errors name the flag by its path, since its value may be a secret: option is its
// name, such as --set.
func (f *File) Set(option, assignment string) {
	path, text, ok := strings.Cut(assignment, "=")
	path = strings.NewReplacer(`\\`, `\`, `\.`, "\x00", ".", "\n").Replace(path) // no key holds these
	root := &value{set: &flag{option: option}}
	end := root
	keys := strings.SplitN(path, "\n", maxDepth) // the schema knows none as deep
	for _, key := range keys {
		end.node = &yaml.Node{Kind: yaml.MappingNode}
		m := &value{up: end, key: &yaml.Node{Kind: yaml.ScalarNode, Value: strings.ReplaceAll(key, "\x00", ".")}}
		end.members, end.byKey = []*value{m}, map[string]*value{m.key.Value: m}
		end = m
	}
	end.node = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if !ok {
		end.node = cut("no value")
		root.secret = true // it may be a value that was meant for another flag
	}
	end.unparsed, root.set.end = true, end
	for _, earlier := range f.roots {
		if old := end.within(earlier); old != nil {
			old.replaced = true
		}
	}
	f.roots = append(f.roots, root)
}

// within returns the value below another root that has v's path; nil if there is none.
func (v *value) within(root *value) *value {
	if v.up == nil {
		return root
	}
	if above := v.up.within(root); above != nil {
		return above.byKey[v.key.Value]
	}
	return nil
}

// parseFlag reads the text of a flag as YAML unless a text without quotes is expected.
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

// flag names the flag that v is from by as much of its path as the schema knows; "" if v is from the file.
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

// leadsToFlag reports whether v is a mapping above a flag's value: what the file gives beside that stays.
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
