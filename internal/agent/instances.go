package agent

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// maxInstances bounds how many failing instances of one toolset are kept.
const maxInstances = 50

// failing are the instances that HolmesGPT cannot use, with its reasons. Of a toolset that works it writes "[a] reason; failed:
// [b] reason | [c] reason", of one that fails a line for each; holmes/plugins/toolsets/multi_instance.py in 0.45.0. Reasons quote
// what backends answer, so that a name which occurs twice is believed of none, and one that the document does not have is left out
// where that is known.
func failing(t *Toolset, key string) map[string]string {
	whole := hidden(t.Error, key) // before it is cut: a value may hold what separates
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
	instances := map[string]string{}
	for part := range strings.SplitSeq(text, separator) {
		name, reason, named := strings.Cut(part, "] ")
		plain := safetext.Clean(name, shownText) == name // else it may only look like another's
		if named && plain && strings.Count(whole, "["+name+"]") == 1 && len(instances) < maxInstances {
			instances[name] = safetext.Clean(reason, shownText)
		}
	}
	return instances
}
