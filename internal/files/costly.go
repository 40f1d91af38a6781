package files

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"

	yaml "go.yaml.in/yaml/v3"
)

// maxMarks is the number of commas, colons, brackets and lines in one YAML document, each of which may begin a value and
// takes a hundred bytes or more while it is read. A List of 30,000 Services has fewer.
const maxMarks = 4_000_000

// aliasMark is how an alias looks; other text may look so too.
var aliasMark = regexp.MustCompile(`(?:^|[\s\[{,:-])\*[^\s*/,\]}]`)

// costly refuses a document that takes far more time or memory than its size, or any List, accounts for.
func costly(doc []byte) error {
	marks := 0
	for _, c := range doc {
		switch c {
		case ',', ':', '[', '{', '\n':
			marks++
		}
	}
	switch {
	case marks > maxMarks:
		return fmt.Errorf("more than %d commas, colons, brackets and lines; as JSON a List is read item by item", maxMarks)
	case bytes.HasPrefix(doc, []byte("%")), bytes.Contains(doc, []byte("\n%")):
		return errors.New("a line begins with %: a directive must stand before a line --- of its own")
	case !aliasMark.Match(doc):
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(doc, &root); err != nil {
		return nil //nolint:nilerr // who reads it next says what is wrong
	}
	if m := (measure{}); m.size(&root) > maxObject {
		return fmt.Errorf("its aliases make it %w", errTooLarge)
	}
	return nil
}

// measure is how many bytes a node stands for, its aliases expanded.
type measure map[*yaml.Node]int

func (m measure) size(n *yaml.Node) int {
	if n.Kind == yaml.AliasNode {
		return m.size(n.Alias)
	}
	if known, ok := m[n]; ok {
		return known
	}
	if n.Anchor != "" {
		m[n] = math.MaxInt32 // until it is known: one that holds itself has no end
	}
	const overhead = 2
	sum := len(n.Value) + overhead
	for _, c := range n.Content {
		sum = min(sum+m.size(c), math.MaxInt32)
	}
	if n.Anchor != "" {
		m[n] = sum
	}
	return sum
}
