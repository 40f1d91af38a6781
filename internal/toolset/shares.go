package toolset

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Share is the size of the texts of one namespace or one type.
type Share struct {
	Name  string
	Bytes int
}

// Shares attributes the text of Keys to namespaces and to types, the largest first. Owners' own types count as custom.
// Text that instances of several namespaces share counts for their type only. Text that does not come from backends,
// and kubernaut/notes, is not attributed.
func (d *Document) Shares() (namespaces, types []Share, err error) {
	s := shares{namespaces: map[string]int{}, types: map[string]int{}}
	if d.wants(HolmesGPT) {
		for at, tree := range eachEntry(d.HolmesGPT) {
			s.add(d.Backends[at.name], tree, at.section, at.name)
		}
	}
	if d.wants(Compact) {
		for typ, tree := range d.Compact {
			s.add(d.compactOf[typ], tree)
		}
	}
	return sorted(s.namespaces), sorted(s.types), s.err
}

func sorted(sizes map[string]int) []Share {
	list := make([]Share, 0, len(sizes))
	for name, n := range sizes {
		list = append(list, Share{name, n})
	}
	slices.SortFunc(list, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name))
	})
	return list
}

type shares struct {
	namespaces, types map[string]int
	err               error
}

// add counts an entry, which stands below these keys, for the backends behind it.
func (s *shares) add(behind []*backend.Finding, tree any, path ...string) {
	if len(behind) == 0 {
		return
	}
	rest := s.size(tree, path)
	if len(path) == 0 { // a key of its own
		rest += len(header)
	}
	if key, instances := backendsIn(tree); len(instances) >= len(behind) {
		path = append(path, "config", key)
		for i, f := range behind {
			n := s.size([]any{instances[i]}, path)
			s.namespaces[f.Namespace] += n
			s.types[kind(f)] += n
			rest -= n
		}
	}
	first := behind[0]
	s.types[kind(first)] += rest
	if !slices.ContainsFunc(behind, func(f *backend.Finding) bool { return f.Namespace != first.Namespace }) {
		s.namespaces[first.Namespace] += rest
	}
}

// size returns the length of a tree's text below these keys, indented as it is there, without the keys themselves.
func (s *shares) size(tree any, path []string) int {
	for _, key := range slices.Backward(path) {
		tree = map[string]any{key: tree}
	}
	text, err := yaml.Marshal(tree)
	if err != nil {
		s.err = fmt.Errorf("encode as YAML: %w", err)
		return 0
	}
	for range path {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return len(text)
}

// backendsIn returns the list in an entry's config that holds its backends, and its key.
func backendsIn(tree any) (key string, backends []any) {
	if list := listIn(tree, "endpoints"); list != nil {
		return "endpoints", list
	}
	return "instances", listIn(tree, "instances")
}

// kind returns the type to which a backend's size is attributed.
func kind(f *backend.Finding) string {
	if f.Candidate.Custom {
		return backend.TypeCustom
	}
	return f.Candidate.Type
}
