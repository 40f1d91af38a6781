package toolset

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v2"
)

// marshal returns the YAML of a tree of plain data, as sigs.k8s.io/yaml writes it. That library converts to JSON and
// back, which takes three times as long.
func marshal(header string, tree any) (string, error) {
	w := writer{}
	w.out.WriteString(header)
	if err := w.add(tree, nil); err != nil {
		return "", fmt.Errorf("encode as YAML: %w", err)
	}
	return w.out.String(), nil
}

// writer writes a large tree in pieces. The YAML library keeps several times the size of the text in memory until it
// has written the whole value.
type writer struct {
	out    strings.Builder
	last   []string // the keys above the piece that was written last
	quotes []string // placeholders in the piece, each followed by the quoted text that belongs there
}

// pieceOf is the approximate number of values in a piece.
const pieceOf = 64

// add writes the tree below the keys of path.
func (w *writer) add(tree any, path []string) error {
	switch t := tree.(type) {
	case map[string]any:
		if count(t) <= pieceOf || hasLongKey(t) {
			break
		}
		for _, key := range sortedKeys(t) {
			if err := w.add(t[key], append(slices.Clip(path), key)); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for len(t) > 1 && count(t) > pieceOf {
			n := 1
			for rest := pieceOf - count(t[0]); n < len(t)-1 && rest > 0; n++ {
				rest -= count(t[n])
			}
			if err := w.piece(t[:n], path); err != nil {
				return err
			}
			t = t[n:]
		}
		tree = t
	}
	return w.piece(tree, path)
}

// hasLongKey reports whether one of the keys may take more than one line.
func hasLongKey(t map[string]any) bool {
	for key := range t {
		if len(key) > 100 || strings.Contains(key, "\n") {
			return true
		}
	}
	return false
}

// piece writes one piece, without the lines of those keys above it that are already written.
func (w *writer) piece(tree any, path []string) error {
	for _, key := range slices.Backward(path) {
		tree = map[string]any{key: tree}
	}
	w.quotes = nil
	out, err := yaml.Marshal(w.ordered(tree))
	if err != nil {
		return err
	}
	text := strings.NewReplacer(w.quotes...).Replace(string(out))
	for i := 0; i < len(path) && i < len(w.last) && path[i] == w.last[i]; i++ {
		_, text, _ = strings.Cut(text, "\n")
	}
	w.last = path
	w.out.WriteString(text)
	return nil
}

// count returns the number of values in a tree.
func count(tree any) int {
	n := 1
	switch t := tree.(type) {
	case map[string]any:
		for _, v := range t {
			n += 1 + count(v)
		}
	case []any:
		for _, v := range t {
			n += count(v)
		}
	}
	return n
}

// ordered returns a tree with its keys in order. The library's own order has cycles, for example x1a, x20a and x117a,
// so that the same data would not always give the same text. In place of a text that needs quotes it puts a
// placeholder, because the library cannot be told to quote a text. The placeholder has private characters, which no
// text of a stranger has (safetext), and no space at which the library could break the line.
func (w *writer) ordered(tree any) any {
	switch t := tree.(type) {
	case string:
		if misread.MatchString(t) {
			placeholder := fmt.Sprintf("\ue000%d\ue001", len(w.quotes))
			w.quotes = append(w.quotes, placeholder, strconv.Quote(t))
			return placeholder
		}
	case map[string]any:
		out := make(yaml.MapSlice, 0, len(t))
		for _, key := range sortedKeys(t) {
			out = append(out, yaml.MapItem{Key: w.ordered(key), Value: w.ordered(t[key])})
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, v := range t {
			out[i] = w.ordered(v)
		}
		return out
	}
	return tree
}

// misread matches the texts that Go's YAML writer may leave without quotes and that HolmesGPT's reader, Python's, takes
// for another type. On 0x_, 2001-99-99, = and << the reader fails, and the whole file is lost.
// https://github.com/yaml/pyyaml/blob/main/lib/yaml/resolver.py
var misread = regexp.MustCompile(`^(?:=|<<|[-+]?0[bx][0-9a-fA-F_]+|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|` +
	`[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?)$`)
