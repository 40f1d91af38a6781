package store

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Limits on the memory for one Service, so that its owner cannot make this process hold megabytes. Services of charts,
// and every valid annotation, are far below them.
const (
	maxTexts = 8 << 10 // bytes of all labels, of the selector, and of all annotations
	maxText  = 4 << 10 // bytes of one annotation's value
	maxPorts = 501     // one more than detection reads

	maxProtocol = 63 // bytes of an application protocol; detection knows none with more than 17

	// Number of labels, of selector entries, and of annotations that are read. Charts write a dozen. A Service with
	// more is rejected.
	maxEntries = 64

	// Number of ready addresses of one EndpointSlice, and of others. Kubernetes puts no more into one by default.
	maxAddresses = 100
)

// bound cuts a Service down to the limits. A value that was too long is still too long afterwards, and is refused
// later.
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

// fitting returns m, or as many of its first entries as fit.
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
