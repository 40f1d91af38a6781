package toolset

import (
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// mergePatch applies RFC 7386: null removes, mappings merge, other values replace. It changes neither argument.
func mergePatch(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out := map[string]any{}
	if t, ok := target.(map[string]any); ok {
		maps.Copy(out, t)
	}
	for k, v := range changes {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = mergePatch(out[k], v)
	}
	return out
}

// walk calls visit for every value below v, mappings in the order of their keys, with its path and, in a mapping, its
// key.
func walk(path string, v any, visit func(path, key string, v any)) {
	switch t := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(t) {
			p := yamlfile.Key(path, k)
			visit(p, k, t[k])
			walk(p, t[k], visit)
		}
	case []any:
		for i, e := range t {
			p := yamlfile.Index(path, i)
			visit(p, "", e)
			walk(p, e, visit)
		}
	}
}

func walkStrings(path string, v any, visit func(path, s string)) {
	walk(path, v, func(path, _ string, v any) {
		if s, ok := v.(string); ok {
			visit(path, s)
		}
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
