package toolset

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Tokens returns how many tokens each toolset of a HolmesGPT document adds to each request to the agent's model, by
// name. Toolsets without known figures are missing: MCP servers, and toolsets that the overrides add beside the
// catalog.
func Tokens(types []*catalog.Type, document map[string]any) map[string]int {
	figures := catalog.Baseline()
	for _, t := range types {
		for i := range t.Toolset.HolmesGPT {
			e := &t.Toolset.HolmesGPT[i]
			name := e.Name
			if e.HTTP != nil {
				name = httpPrefix + t.Type
			}
			figures[name] = e.Tokens
		}
	}
	tokens := map[string]int{}
	entries, _ := document[toolsets].(map[string]any)
	for name, tree := range entries {
		entry, _ := tree.(map[string]any)
		if disabled(entry) {
			tokens[name] = 0 // HolmesGPT does not send it
		} else if n := cost(figures, name, entry); n > 0 {
			tokens[name] = n
		}
	}
	return tokens
}

// httpPrefix keeps the figures of HTTP toolsets, by type, apart from those of HolmesGPT's own.
const httpPrefix = "http:"

// cost returns the tokens of an enabled toolset, 0 if they are not known.
func cost(figures map[string]catalog.Tokens, name string, entry map[string]any) int {
	text, _ := entry["llm_instructions"].(string)
	words := len(text) / 4 // tokens, roughly
	if entry["type"] == "http" {
		endpoints := len(listIn(entry, "endpoints"))
		typ, _, _ := strings.Cut(name, "/")
		if figure := figures[httpPrefix+typ]; figure != (catalog.Tokens{}) {
			return figure.Of(max(1, endpoints))
		}
		return catalog.HTTPTokens().Of(endpoints) + words
	} else if tools, ok := entry["tools"].([]any); ok && len(tools) == 0 {
		return words
	}
	return figures[name].Of(max(1, len(listIn(entry, "instances"))))
}
