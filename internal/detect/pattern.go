package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// maxName is the longest name or label value that an API server accepts. Longer ones in files have no words.
const maxName = 253

// show makes a Service's own text safe to show to people: files may hold any text.
func show(s string) string { return safetext.Clean(s, 100) }

// split splits a name or label value at its separators, in lower case: "Kube-Prometheus_stack.es7" has four parts.
func split(s string) []string {
	if len(s) > maxName {
		return nil
	}
	return strings.FieldsFunc(strings.ToLower(s), isSeparator)
}

const digits = "0123456789"

// words splits a name or label value into its words. A number at the end of a word is a word of its own, because people
// put a version or an ordinal there: "es7", "node1".
func words(s string) (list []string) {
	for _, part := range split(s) {
		if word := strings.TrimRight(part, digits); word != "" && word != part {
			list = append(list, word, part[len(word):])
		} else {
			list = append(list, part)
		}
	}
	return list
}

func isSeparator(r rune) bool { return r == '-' || r == '.' || r == '_' || r == '/' || r == ' ' }

func isNumber(w string) bool {
	return w != "" && strings.Trim(w, digits) == ""
}

// indexOf returns where part is within ws, -1 if it is not.
func indexOf(ws, part []string) int {
	for i := range len(ws) - len(part) + 1 {
		if slices.Equal(ws[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// endings holds lists of words that names may end with, by the last word, the longest first.
type endings map[string][]ending

type ending struct {
	words   []string
	because string // the reason, for people, that a name with this ending gives
}

func newEndings(lists ...[]string) endings {
	e := endings{}
	for _, names := range lists {
		e.add("", names)
	}
	return e
}

func (e endings) add(because string, names []string) {
	for _, name := range names {
		w := words(name)
		if len(w) == 0 {
			continue
		}
		last := w[len(w)-1]
		e[last] = append(e[last], ending{w, because})
		slices.SortStableFunc(e[last], func(a, b ending) int { return len(b.words) - len(a.words) })
	}
}

// of returns the longest ending of the words ws; one without words if they have none.
func (e endings) of(ws []string) ending {
	if len(ws) == 0 {
		return ending{}
	}
	for _, end := range e[ws[len(ws)-1]] {
		if n := len(ws) - len(end.words); n >= 0 && slices.Equal(end.words, ws[n:]) {
			return end
		}
	}
	return ending{}
}

// tail returns the length of the ending of ws, in words; 1 if the last word is a number (a replica's ordinal); else 0.
// ws must not be empty.
func (e endings) tail(ws []string) int {
	n := len(e.of(ws).words)
	if n == 0 && isNumber(ws[len(ws)-1]) {
		n = 1
	}
	return n
}

// trim removes endings and numbers from ws until none is left, but never all words.
func (e endings) trim(ws []string) []string {
	for len(ws) > 1 {
		n := e.tail(ws)
		if n == 0 || n >= len(ws) {
			break
		}
		ws = ws[:len(ws)-n]
	}
	return ws
}
