package yamlfile

import (
	"fmt"

	yaml "go.yaml.in/yaml/v3"
)

type pair struct{ key, value *yaml.Node }

// pairs are the keys and values of a mapping, those that "<<" merges into it last. A key given twice is reported, and the
// first one counts.
func (d *decoder) pairs(a at, merged int) []pair {
	var out []pair
	var merges []*yaml.Node
	seen := map[string]*yaml.Node{}
	content := a.node.Content
	for i := 0; i+1 < len(content); i += 2 {
		key, value := content[i], content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		path := Key(a.path, key.Value)
		if !d.spent.node(key, path) {
			return out
		}
		c := d.child(a, path, key, value)
		c.shown = key
		switch first, double := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			c.path = a.path
			d.fail(c, "expected a key, found "+d.found(c, key))
		case key.ShortTag() == "!!merge":
			merges = append(merges, value)
		case double:
			message := "given twice"
			if first.Line > 0 {
				message += fmt.Sprintf("; first on line %d", first.Line)
			}
			d.fail(c, message)
		default:
			seen[key.Value] = key
			out = append(out, pair{key, value})
		}
	}
	for _, m := range merges {
		out = d.merge(a, m, seen, out, merged)
	}
	return out
}

func (d *decoder) merge(a at, m *yaml.Node, seen map[string]*yaml.Node, out []pair, merged int) []pair {
	if !d.spent.node(m, "") {
		return out
	}
	shown := m
	if m.Kind == yaml.AliasNode {
		m = m.Alias
	}
	if m.Kind == yaml.SequenceNode {
		for _, n := range m.Content {
			if n.Kind == yaml.SequenceNode {
				d.fail(a.merged(n, n), "<< expected a mapping, found a list")
				continue
			}
			out = d.merge(a, n, seen, out, merged)
		}
		return out
	}
	from := a.merged(m, shown)
	switch {
	case m.Kind != yaml.MappingNode:
		d.fail(from, "<< expected a mapping, found "+d.found(from, m))
	case merged >= maxDepth:
		d.fail(from, tooDeep)
	default:
		for _, p := range d.pairs(from, merged+1) {
			if seen[p.key.Value] == nil {
				seen[p.key.Value] = p.key
				out = append(out, p)
			}
		}
	}
	return out
}

// merged is a mapping that "<<" merges into a.
func (a at) merged(n, shown *yaml.Node) at {
	a.node, a.shown = n, shown
	return a
}
