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
		c := a.child(Key(a.path, key.Value), key, value)
		c.shown = key
		switch first, double := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			c.path = a.path
			d.fail(c, "expected a key, found "+found(key))
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
	if d.nodes++; d.nodes > maxNodes {
		return out
	}
	shown := m
	if m.Kind == yaml.AliasNode {
		m = m.Alias
	}
	if m.Kind == yaml.SequenceNode {
		for _, n := range m.Content {
			if n.Kind == yaml.SequenceNode {
				d.fail(at{node: n, shown: n, path: a.path, file: a.file}, "<< expected a mapping, found a list")
				continue
			}
			out = d.merge(a, n, seen, out, merged)
		}
		return out
	}
	from := at{node: m, shown: shown, path: a.path, file: a.file}
	switch {
	case m.Kind != yaml.MappingNode:
		d.fail(from, "<< expected a mapping, found "+found(m))
	case merged >= maxDepth:
		d.fail(from, "nested too deep, or holds itself")
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
