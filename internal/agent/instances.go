package agent

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// failing returns the instances that HolmesGPT cannot use, with HolmesGPT's reasons. For a toolset that works,
// HolmesGPT writes "[a] reason; failed: [b] reason | [c] reason"; for one that fails, a line for each instance
// (holmes/plugins/toolsets/multi_instance.py in 0.45.0). Reasons quote responses of backends, which can forge names. So
// a name is ignored if it is not in the document or occurs twice. In a text that was cut, any name may occur again.
func failing(t *Toolset, known map[string]bool, key string) map[string]string {
	if strings.HasSuffix(t.Error, cutMark) {
		return nil
	}
	whole := hidden(t.Error, key) // before it is split: a value may hold what separates
	text, separator := whole, "\n["
	switch t.Status {
	case StatusEnabled:
		_, text, _ = strings.Cut(whole, "; failed: ")
		separator = " | ["
	case StatusFailed:
	default:
		return nil
	}
	text, is := strings.CutPrefix(text, "[")
	if !is {
		return nil
	}
	times := mentions(whole, known)
	instances := map[string]string{}
	for part := range strings.SplitSeq(text, separator) {
		name, reason, named := strings.Cut(part, "] ")
		if named && times[name] == 1 {
			instances[name] = safetext.Clean(reason, shownText)
		}
	}
	return instances
}

// mentions counts how often each known name stands in brackets. It reads the text once: backends choose how long it is
// and how many names are in it.
func mentions(text string, known map[string]bool) map[string]int {
	times := map[string]int{}
	name := -1 // where it starts, -1 outside brackets
	for i := range len(text) {
		switch {
		case text[i] == '[':
			name = i + 1
		case text[i] == ']' && name >= 0:
			if known[text[name:i]] {
				times[text[name:i]]++
			}
			name = -1
		}
	}
	return times
}
