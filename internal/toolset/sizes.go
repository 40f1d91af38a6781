package toolset

import (
	"encoding/json"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// besideSize is the approximate size of a backend beside its own entries, in bytes: in the compact form and in
// state.json.
const besideSize = 400

// Sizes returns the approximate size of each backend in the keys, in bytes.
func (d *Document) Sizes() map[backend.Key]int {
	sizes := map[backend.Key]int{}
	entries, _ := d.HolmesGPT[toolsets].(map[string]any)
	servers, _ := d.HolmesGPT[mcpServers].(map[string]any)
	for name, behind := range d.Backends {
		tree := entries[name]
		if tree == nil {
			tree = servers[name]
		}
		text, err := json.Marshal(tree)
		if err != nil {
			continue // the document would not be written either
		}
		for _, f := range behind {
			sizes[f.Candidate.Key()] += len(text)/len(behind) + besideSize
		}
	}
	return sizes
}
