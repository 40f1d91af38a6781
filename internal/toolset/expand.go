package toolset

import "strings"

// link is the placeholder of the URL at which people reach a backend. A setting with this value is left out if the URL
// is unknown.
const link = "$(link)"

// expand returns a copy of a tree of the catalog with the placeholders in its strings replaced. It does not expand the
// replacements, so text from a Service cannot act as a placeholder.
func (it *item) expand(tree any) any {
	return expand(tree, it.placeholders)
}

// text expands a text for the agent.
func (it *item) text(s string) string {
	if it.nameless {
		return anonymous.Replace(s)
	}
	return it.expand(s).(string)
}

func expand(tree any, r *strings.Replacer) any {
	switch t := tree.(type) {
	case string:
		return r.Replace(t)
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, v := range t {
			if out[k] = expand(v, r); v == link && out[k] == "" {
				delete(out, k)
			}
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, v := range t {
			out[i] = expand(v, r)
		}
		return out
	}
	return tree
}
