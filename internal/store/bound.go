package store

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Bounds on what is kept of one Service, so that its owner cannot have this process hold megabytes. What charts
// write, and every valid annotation, fits many times over.
const (
	maxTexts = 8 << 10 // bytes of all labels, of the selector, and of all annotations
	maxText  = 4 << 10 // bytes of one annotation's value
	maxPorts = 501     // one more than detection looks at

	maxProtocol = 63 // bytes of an application protocol; those that detection knows have 17 at most

	// Of labels, of the selector, and of the annotations that are read. Charts write a dozen; where there are more
	// the Service is rejected.
	maxEntries = 64

	// Of one EndpointSlice, ready ones and others each: the most that Kubernetes itself puts into one by default.
	maxAddresses = 100
)

// bound cuts what is over the bounds. What is left of a value that is too long is too long still, and refused for that.
func bound(s *backend.Service) {
	for k, v := range s.Annotations {
		if len(v) > maxText {
			s.Annotations[k] = strings.Clone(strings.ToValidUTF8(v[:maxText], ""))
		}
	}
	for _, m := range [...]struct {
		entries *map[string]string
		part    backend.Part
	}{{&s.Labels, backend.PartLabels}, {&s.Annotations, backend.PartAnnotations}, {&s.Selector, backend.PartSelector}} {
		if n := len(*m.entries); n > maxEntries {
			s.Excess = &backend.Excess{Of: m.part, Number: n, Limit: maxEntries}
		}
		*m.entries = fitting(*m.entries)
	}
	if len(s.Ports) > maxPorts {
		s.Ports = slices.Clone(s.Ports[:maxPorts])
	}
}

// fitting is m, or as many of its first entries as fit.
func fitting(m map[string]string) map[string]string {
	n := 0
	for k, v := range m {
		n += len(k) + len(v)
	}
	if n <= maxTexts && len(m) <= maxEntries {
		return m
	}
	out, left := map[string]string{}, maxTexts
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if left -= len(k) + len(m[k]); left < 0 || len(out) == maxEntries {
			break
		}
		out[k] = m[k]
	}
	return out
}
