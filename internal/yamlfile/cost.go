package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	yaml "go.yaml.in/yaml/v3"
)

// Plain refuses a text for which the YAML package would need far more time or memory than for others of its size: one
// with directives, or with more than most commas, colons, brackets and lines. Each of these may begin a value, which
// takes a hundred bytes or more.
func Plain(text []byte, most int) (line int, err error) {
	marks := 0
	for l := range bytes.Lines(text) {
		line++
		if l[0] == '%' {
			return line, errors.New("not plain YAML: expected no directive (a line that begins with %)")
		}
		for _, c := range l {
			switch c {
			case ',', ':', '[', '{', '\n':
				marks++
			}
		}
	}
	if marks > most {
		return 0, fmt.Errorf("too many values: more than %d commas, colons, brackets and lines", most)
	}
	return 0, nil
}

// Size returns the size of a node in bytes with its aliases expanded. Each value counts as overhead bytes and its text.
// Size replaces an alias that holds itself.
func Size(n *yaml.Node, overhead int) int {
	return sizes{overhead: overhead, anchored: map[*yaml.Node]int{}}.of(n)
}

type sizes struct {
	overhead int
	anchored map[*yaml.Node]int // sizes of the nodes with an anchor; 0 while one is still counted
}

func (s sizes) of(n *yaml.Node) int {
	if n.Kind == yaml.AliasNode {
		size := s.anchored[n.Alias]
		if size == 0 {
			at := *n
			*n = *cut("an alias that holds itself")
			n.Line, n.Column = at.Line, at.Column
		}
		return size
	}
	sum := len(n.Value) + s.overhead
	for _, c := range n.Content {
		sum = min(sum+s.of(c), math.MaxInt32)
	}
	if n.Anchor != "" {
		s.anchored[n] = sum
	}
	return sum
}
