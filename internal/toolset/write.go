package toolset

import (
	"fmt"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// marshal returns the YAML of a tree of plain data, as sigs.k8s.io/yaml writes it. That library converts to JSON and
// back, which takes three times as long.
func marshal(header string, tree any) (string, error) {
	var q quoter
	out, err := yaml.Marshal(q.ordered(tree))
	if err != nil {
		return "", fmt.Errorf("encode as YAML: %w", err)
	}
	return header + strings.NewReplacer(q...).Replace(string(out)), nil
}

// quoter holds the placeholders of the values that the library would write in a form that is misread, each followed by
// the form to write. The library cannot be told to quote a text. A placeholder has private characters, which no text of
// a stranger has (safetext), and no space at which the library could break the line.
type quoter []string

// as returns the placeholder of a value that is written as text.
func (q *quoter) as(text string) string {
	placeholder := fmt.Sprintf("\ue000%d\ue001", len(*q))
	*q = append(*q, placeholder, text)
	return placeholder
}

// ordered returns a tree with its keys in order, and with placeholders. The library's own order has cycles, for example
// x1a, x20a and x117a, so that the same data would not always give the same text.
func (q *quoter) ordered(tree any) any {
	switch t := tree.(type) {
	case string:
		if yamlfile.PythonTag(t) != "!!str" {
			return q.as(strconv.Quote(t))
		}
	case float64:
		// Python takes 1e-08 for a text and 1 for an integer: a float needs a point.
		text := strconv.FormatFloat(t, 'g', -1, 64)
		if digits, _, _ := strings.Cut(text, "e"); !strings.ContainsAny(digits, ".fN") { // as +Inf and NaN have them
			return q.as(digits + ".0" + text[len(digits):])
		}
	case map[string]any:
		out := make(yaml.MapSlice, 0, len(t))
		for _, key := range sortedKeys(t) {
			out = append(out, yaml.MapItem{Key: q.ordered(key), Value: q.ordered(t[key])})
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, v := range t {
			out[i] = q.ordered(v)
		}
		return out
	}
	return tree
}
