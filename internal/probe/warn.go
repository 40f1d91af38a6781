package probe

import (
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// degraded reports whether the answer to a health check is one that its type knows to come from a backend which answers
// in part, and enters why.
func (s *session) degraded(t *catalog.Type, id *identity) bool {
	for i := range t.Probe.Degraded {
		c := &t.Probe.Degraded[i]
		if _, res, _, err := s.meet("health", id.base, c); err == nil && res == met {
			id.degraded = c.Because
			return true
		}
	}
	return false
}

// warn enters what a backend that is ready does less well than others of its type. No answer here ever counts against
// it.
func (s *session) warn(t *catalog.Type, id *identity, o *backend.Observation) {
	for i := range t.Probe.Warn {
		c := &t.Probe.Warn[i]
		if _, res, _, err := s.meet("warning", id.base, c); err == nil && res == met {
			o.Warnings = append(o.Warnings, c.Because)
			o.NoData = o.NoData || c.NoData
		}
	}
	if id.degraded != "" {
		o.Outcome, o.Degraded = backend.NotReady, id.degraded
		o.Seen = backend.Seen{Code: backend.CodeDegraded, Type: t.Title, Because: id.degraded}
	}
}
