package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// maxName is longer than any name or label value that an API server accepts. What is longer comes from a file and means
// nothing.
const maxName = 253

// show makes a Service's own text fit to be told to people: files may hold anything.
func show(s string) string { return safetext.Clean(s, 100) }

func anyGlob(patterns catalog.Values, s string) bool { return patterns.Match(s) }

// allLabels reports whether every key of want is in have with an accepted value. No wants fit nothing, so that an empty
// rule never matches.
func allLabels(want map[string]catalog.Values, have map[string]string) bool {
	for k, values := range want {
		v, ok := have[k]
		if !ok || !anyGlob(values, v) {
			return false
		}
	}
	return true
}

// words splits a name or label value into its words, in lower case: "Kube-Prometheus_stack.v2" has four.
func words(s string) []string {
	if len(s) > maxName {
		return nil
	}
	return strings.FieldsFunc(strings.ToLower(s), isSeparator)
}

func isSeparator(r rune) bool { return r == '-' || r == '.' || r == '_' || r == '/' || r == ' ' }

func isNumber(w string) bool {
	return w != "" && strings.Trim(w, "0123456789") == ""
}

// endings is a set of names as word lists, by their last words and the longest first.
type endings map[string][]ending

type ending struct {
	words   []string
	because string // what is to be said of a name that ends so
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

// of returns the longest that ends the list of words; one without words if none does.
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

// tail returns how many words at the end are one of these or a number (a replica's ordinal); 0 if none. There is a
// word.
func (e endings) tail(ws []string) int {
	n := len(e.of(ws).words)
	if n == 0 && isNumber(ws[len(ws)-1]) {
		n = 1
	}
	return n
}

// trim takes off what is no more than a tail, but never everything.
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
