package toolset

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// sharedNames are the names of the HTTP toolsets of the types.
func sharedNames(types []*catalog.Type) (names []string) {
	for _, t := range types {
		for i := range t.Toolset.HolmesGPT {
			if t.Toolset.HolmesGPT[i].HTTP != nil {
				names = append(names, t.EntryName(i, false), t.EntryName(i, true))
			}
		}
	}
	return names
}

// inheritShared gives endpoints what the overrides put at the top of their toolset, from where HolmesGPT sends it to
// all of them. It stays there where all are entitled to it. Else those that are get it as their auth, which can be a
// header alone, and what they say themselves wins.
func (b *builder) inheritShared(s *shared, endpoints []any) {
	top := b.tops[s.name]
	if len(top) == 0 {
		return
	}
	if !slices.ContainsFunc(s.items, func(it *item) bool { return !inherits(it.Finding) }) {
		delete(b.tops, s.name)
		return
	}
	header, value, one := onlyHeader(top)
	for i, it := range s.items {
		endpoint, _ := endpoints[i].(map[string]any)
		if !one || !inherits(it.Finding) {
			continue
		}
		b.given[s.name] = true
		if endpoint["auth"] == nil {
			endpoint = maps.Clone(endpoint)
			endpoint["auth"] = map[string]any{"type": "header", "name": header, "value": value}
			endpoints[i] = endpoint
		}
	}
}

// onlyHeader is the header that credentials at the top of an HTTP toolset consist of, if it is one alone, and one
// that does not depend on the request.
func onlyHeader(top map[string]any) (name, value string, one bool) {
	n := 0
	for key, v := range top {
		headers, _ := v.(map[string]any)
		if !namesHeaders(key) || len(headers) == 0 {
			return "", "", false
		}
		for header, v := range headers {
			if v == nil {
				continue
			}
			n++
			name = header
			value, _ = v.(string)
		}
	}
	return name, value, n == 1 && value != "" && strings.Count(value, "{{") == len(references(value))
}
