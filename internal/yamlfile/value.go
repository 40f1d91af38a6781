package yamlfile

import (
	"fmt"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

const maxDepth = 64

// value is a value of the document. Aliases are followed and "<<" is merged, so each value has one place only.
type value struct {
	node     *yaml.Node        // an alias is followed
	at       *yaml.Node        // errors show its line and column: the key of a block; nil if it is not from a text
	up       *value            // the mapping or list that holds it; nil: the root
	key      *yaml.Node        // nil: the root, or an item of a list
	index    int               // of an item
	members  []*value          // items, or the values of all keys in their order, duplicate keys included
	byKey    map[string]*value // the first value of each key; nil: not a mapping
	set      *flag             // that made it; nil if it is from the file
	unparsed bool              // the text of a flag is not parsed yet

	// Set by Decode.
	visibility
	reached bool // the schema knows the keys above it
	broken  bool // it did not decode
}

// fill fills v and its members from a node.
func (v *value) fill(node *yaml.Node, depth int) {
	v.node, v.at = follow(node), node
	collection := node.Kind == yaml.MappingNode || node.Kind == yaml.SequenceNode
	if v.key != nil && (collection && node.Style&yaml.FlowStyle == 0 || isNull(node)) {
		v.at = v.key
	}
	switch {
	case depth > maxDepth:
		v.node = cut("one that is nested too deep")
	case v.node.Kind == yaml.MappingNode:
		v.byKey = map[string]*value{}
		v.fillKeys(v.node, depth)
	default:
		for i, item := range v.node.Content {
			m := &value{up: v, index: i}
			m.fill(item, depth+1)
			v.members = append(v.members, m)
		}
	}
}

// fillKeys adds the keys of v's own mapping, or of one that "<<" merges into it. Merged keys come last and replace
// none.
func (v *value) fillKeys(mapping *yaml.Node, depth int) {
	var merged []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, values := follow(mapping.Content[i]), mapping.Content[i+1:i+2]
		if list := follow(values[0]); isMerge(key) && list.Kind == yaml.SequenceNode {
			values = list.Content
		}
		for _, node := range values {
			if isMerge(key) && follow(node).Kind == yaml.MappingNode {
				merged = append(merged, follow(node))
				continue
			}
			first := v.byKey[key.Value]
			if first != nil && mapping != v.node {
				continue
			}
			m := &value{up: v, key: key}
			m.fill(node, depth+1)
			v.members = append(v.members, m)
			if first == nil && key.Kind == yaml.ScalarNode {
				v.byKey[key.Value] = m
			}
		}
	}
	for _, m := range merged {
		v.fillKeys(m, depth+1)
	}
}

// pathBytes returns the sum of the lengths of the paths of v and of all values below it. The path to v has above bytes.
func (v *value) pathBytes(above int) int {
	if v.key != nil {
		above += len(v.key.Value)
	}
	sum := above
	for _, m := range v.members {
		sum += m.pathBytes(above)
	}
	return sum
}

// find returns the value at path below v, or the nearest one above it and the rest of the path.
func (v *value) find(path string) (*value, string) {
	for path != "" {
		key, index, rest := cutStep(path)
		switch next := v.byKey[key]; {
		case index < 0 && next != nil:
			v = next
		case index >= 0 && index < len(v.members) && v.byKey == nil:
			v = v.members[index]
		default:
			return v, path
		}
		path = rest
	}
	return v, ""
}

// cutStep cuts off the first key or index of a path. For a key, index is -1.
func cutStep(path string) (key string, index int, rest string) {
	inside, bracket := strings.CutPrefix(path, "[")
	if !bracket {
		key = strings.TrimPrefix(path, ".")
		if end := strings.IndexAny(key, ".["); end >= 0 {
			return key[:end], -1, key[end:]
		}
		return key, -1, ""
	}
	if quoted, err := strconv.QuotedPrefix(inside); err == nil {
		key, _ = strconv.Unquote(quoted)
		return key, -1, strings.TrimPrefix(inside[len(quoted):], "]")
	}
	number, rest, _ := strings.Cut(inside, "]")
	index, err := strconv.Atoi(number)
	if err != nil {
		return number, -1, rest
	}
	return "", index, rest
}

// path returns the path as errors show it.
func (v *value) path() string {
	switch {
	case v.up == nil:
		return ""
	case v.key == nil:
		return Index(v.up.path(), v.index)
	case v.hidden:
		return strings.TrimPrefix(v.up.path()+".(key not shown)", ".")
	}
	return Key(v.up.path(), v.key.Value)
}

// Key returns the path of a key below path. A key is quoted unless it has only letters, digits, "_", "-" and "/".
func Key(path, key string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-/", r)
	}
	if key == "" || strings.TrimFunc(key, plain) != "" {
		return fmt.Sprintf("%s[%q]", path, key)
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

// Index returns the path of an item of the list at path.
func Index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// cut returns a node for a value that is not read. Errors call it found. No type can decode it.
func cut(found string) *yaml.Node { return &yaml.Node{Value: found} }

func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" }
