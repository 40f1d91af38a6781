package toolset

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
)

// marshal writes a tree of plain data as sigs.k8s.io/yaml would, without its way through JSON and back, which takes thrice
// as long.
func marshal(header string, tree any) (string, error) {
	out, err := yaml.Marshal(tree)
	if err != nil {
		return "", fmt.Errorf("encode as YAML: %w", err)
	}
	text := header + string(out)
	if hasMisread(tree) {
		return quoteMisread(text)
	}
	return text, nil
}

// misread matches the texts that Go's YAML writer may leave without quotes and that Python's reader, HolmesGPT's, takes for
// something else: it fails on 0x_, 2001-99-99, = and <<, and with it the whole file.
// https://github.com/yaml/pyyaml/blob/main/lib/yaml/resolver.py
var misread = regexp.MustCompile(`^(?:=|<<|[-+]?0[bx][0-9a-fA-F_]+|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|` +
	`[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?)$`)

func hasMisread(v any) bool {
	switch t := v.(type) {
	case string:
		return t != "" && strings.ContainsRune("=<-+.0123456789", rune(t[0])) && misread.MatchString(t)
	case map[string]any:
		for k, e := range t {
			if hasMisread(k) || hasMisread(e) {
				return true
			}
		}
	case []any:
		for _, e := range t {
			if hasMisread(e) {
				return true
			}
		}
	}
	return false
}

// quoteMisread puts quotes around the texts in a document that misread matches.
func quoteMisread(text string) (string, error) {
	var root yaml3.Node
	if err := yaml3.Unmarshal([]byte(text), &root); err != nil {
		return "", fmt.Errorf("read what was written: %w", err)
	}
	lines := strings.Split(text, "\n")
	var quote func(n *yaml3.Node) error
	quote = func(n *yaml3.Node) error {
		if n.Kind == yaml3.ScalarNode && n.Style == 0 && misread.MatchString(n.Value) {
			line := []rune(lines[n.Line-1])
			from, to := n.Column-1, n.Column-1+len(n.Value)
			if to > len(line) || string(line[from:to]) != n.Value {
				return errors.New("a text is not where it was written")
			}
			lines[n.Line-1] = string(line[:from]) + `"` + n.Value + `"` + string(line[to:])
		}
		for i := len(n.Content) - 1; i >= 0; i-- { // from the end of a line to its beginning
			if err := quote(n.Content[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := quote(&root); err != nil {
		return "", err
	}
	return strings.Join(lines, "\n"), nil
}
