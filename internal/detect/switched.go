package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// NotLookedFor is why the configuration has no backend of the type in a namespace; no reason where it lets it be one.
// The type is nil for what the catalog does not describe.
func NotLookedFor(t *catalog.Type, namespace string) backend.Reason {
	switch {
	case t == nil || t.LookedForIn(namespace), namespace == backend.OutsideNamespace && !t.Tuning.Off:
		return backend.Reason{}
	case t.Tuning.Off:
		return reason(backend.CodeTypeOff, backend.Details{Type: t.Type})
	}
	return reason(backend.CodeTypeElsewhere,
		backend.Details{Type: t.Type, Value: strings.Join(t.Tuning.Namespaces, ", ")})
}

// refuseSwitchedOff leaves out the candidates of types that the configuration does not look for here, so that they
// are not asked.
func (d *Detector) refuseSwitchedOff(r *Result, namespace string) {
	refused := func(c *backend.Candidate) bool {
		why := NotLookedFor(d.catalog.Lookup(c.Type), namespace)
		if why.Is() {
			r.Type, r.Rejected = c.Type, why
		}
		return why.Is()
	}
	if r.Candidates = slices.DeleteFunc(r.Candidates, refused); len(r.Candidates) > 0 {
		r.Type, r.Rejected = "", backend.Reason{}
	}
}
