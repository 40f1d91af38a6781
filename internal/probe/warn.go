package probe

import (
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// degraded reports whether a health check shows that the backend answers only in part, by the checks of its type. It
// sets the reason in id.
func (s *session) degraded(t *catalog.Type, id *identity) bool {
	for i := range t.Probe.Degraded {
		c := &t.Probe.Degraded[i]
		if v, err := s.meet("health", id.base, c); err == nil && v.result == met {
			id.degraded = c.Because
			return true
		}
	}
	return false
}

// warn adds to the observation what a ready backend does less well than others of its type. A failed request here does
// not count against the backend.
func (s *session) warn(t *catalog.Type, id *identity, o *backend.Observation) {
	for i := range t.Probe.Warn {
		c := &t.Probe.Warn[i]
		if v, err := s.meet("warning", id.base, c); err == nil && v.result == met {
			o.Warnings = append(o.Warnings, c.Because)
			o.NoData = o.NoData || c.NoData
		}
	}
	if id.degraded != "" {
		o.Outcome, o.Degraded = backend.NotReady, id.degraded
		o.Seen = backend.Seen{Code: backend.CodeDegraded, Type: t.Title, Because: id.degraded}
	}
}
