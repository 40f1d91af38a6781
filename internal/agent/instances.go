package agent

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// maxInstances bounds how many failing instances of one toolset are kept.
const maxInstances = 50

// failing returns the instances that HolmesGPT cannot use, with HolmesGPT's reasons. For a toolset that works,
// HolmesGPT writes "[a] reason; failed: [b] reason | [c] reason"; for one that fails, a line for each instance
// (holmes/plugins/toolsets/multi_instance.py in 0.45.0). Reasons quote responses of backends, which can forge names. So
// a name that occurs twice is ignored, and one that is not in the document is dropped where the document is known.
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
