package toolset

import (
	"maps"
	"slices"
	"strings"
)

// inheritShared gives endpoints the overrides' credentials at the top of their toolset. HolmesGPT sends these to all
// endpoints. So they stay at the top only if all endpoints are entitled to them. Otherwise each entitled endpoint gets
// them as its auth, which can hold only one header. The endpoint's own auth wins.
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

// onlyHeader returns the header at the top of an HTTP toolset, if the credentials there are exactly one header that
// does not depend on the request.
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
