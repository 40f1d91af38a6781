package toolset

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// besideSize is the approximate size of a backend beside its own entries, in bytes: in the compact form and in
// state.json.
const besideSize = 400

// Sizes returns the approximate size of each backend in the keys, in bytes.
func (d *Document) Sizes() map[backend.Key]int {
	sizes := map[backend.Key]int{}
	for f, size := range d.eachSize() {
		sizes[f.Candidate.Key()] += size
	}
	return sizes
}

// Share is the approximate size of the texts of one namespace or one type.
type Share struct {
	Name  string
	Bytes int
}

// Shares returns the approximate sizes of namespaces and of types in the keys, the largest first. Owners' own types
// count as custom.
func (d *Document) Shares() (namespaces, types []Share) {
	inNamespace, ofType := map[string]int{}, map[string]int{}
	for f, size := range d.eachSize() {
		typ := f.Candidate.Type
		if f.Candidate.Custom {
			typ = backend.TypeCustom
		}
		inNamespace[f.Namespace] += size
		ofType[typ] += size
	}
	return largest(inNamespace), largest(ofType)
}

func largest(sizes map[string]int) (list []Share) {
	for name, n := range sizes {
		list = append(list, Share{name, n})
	}
	slices.SortFunc(list, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name))
	})
	return list
}

// eachSize iterates over the backends behind each entry with their shares of its size.
func (d *Document) eachSize() iter.Seq2[*backend.Finding, int] {
	return func(yield func(*backend.Finding, int) bool) {
		entries, _ := d.HolmesGPT[toolsets].(map[string]any)
		servers, _ := d.HolmesGPT[mcpServers].(map[string]any)
		for name, behind := range d.Backends {
			tree := entries[name] // nil if the overrides remove it; the compact form may still have it
			if tree == nil {
				tree = servers[name]
			}
			text, err := json.Marshal(tree)
			if err != nil {
				continue // the document would not be written either
			}
			for _, f := range behind {
				if !yield(f, len(text)/len(behind)+besideSize) {
					return
				}
			}
		}
	}
}
