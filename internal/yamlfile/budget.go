package yamlfile

import yaml "go.yaml.in/yaml/v3"

// budget is what has been decoded so far. Aliases stand for more than the file's own size says, and each value has the keys
// above it in its path.
type budget struct{ nodes, text, paths int }

// Limits after aliases are expanded.
const (
	maxNodes = 60_000
	maxText  = 2 * maxBytes
	maxPaths = 16 * maxBytes
)

func (b *budget) over() bool { return b.nodes > maxNodes || b.text > maxText || b.paths > maxPaths }

// room says that n more nodes would not be too many; else it is over.
func (b *budget) room(n int) bool {
	if b.nodes+n > maxNodes {
		b.nodes = maxNodes + 1
	}
	return !b.over()
}

// node counts one and says whether to go on.
func (b *budget) node(n *yaml.Node, path string) bool {
	b.nodes++
	b.text += len(n.Value)
	b.paths += len(path)
	return !b.over()
}

// all counts everything below a node, and says whether it is nested too deep.
func (b *budget) all(n *yaml.Node, depth int) (deep bool) {
	if depth > maxDepth {
		return true
	}
	for _, c := range n.Content {
		if c.Kind == yaml.AliasNode {
			c = c.Alias
		}
		if !b.node(c, "") || b.all(c, depth+1) {
			return !b.over()
		}
	}
	return false
}
