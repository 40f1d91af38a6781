package store

import "kubernaut.io/dynamic-toolset/internal/backend"

// Sink receives the objects that are read. Calls do not overlap. Services and EndpointSlices come in any order. If
// reading ends with an error, the sink has only a part of the objects, and should be discarded.
type Sink interface {
	// Service is called for each Service. It replaces an earlier one with the same Ref.
	Service(backend.Service)
	// Slice is called for each EndpointSlice, with the Service it belongs to. It replaces an earlier one with the same
	// name in the same namespace.
	Slice(service backend.Ref, s Slice)
	// Expose is called for each object that may lead people to Services of its namespace, with the exposures by the
	// name of the Service. It replaces those of an earlier object with the same kind and name.
	Expose(by Exposer, services map[string][]backend.Exposure)
}

// Exposer is an object that leads people to Services.
type Exposer struct {
	Kind string
	backend.Ref
}

// Report counts the objects that were read, and has the warnings.
type Report struct {
	Services int // given to the sink
	// Refused counts the objects that cannot be used, and the entries that are not Kubernetes objects.
	Refused int
	Skipped int // objects of other kinds, and EndpointSlices without a Service
	// Warnings has the first hundred warnings. Suppressed counts the rest.
	Warnings   []Warning
	Suppressed int
	// Unread has the namespaces of a cluster that this service is not allowed to read, "" for all of them.
	Unread []string
}

const maxWarnings = 100

// Warn adds a warning.
func (r *Report) Warn(w Warning) {
	if w.Refused {
		r.Refused++
	}
	if len(r.Warnings) == maxWarnings {
		r.Suppressed++
		return
	}
	r.Warnings = append(r.Warnings, w)
}
