package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

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

// OrphanSlice is the kind for counting EndpointSlices that belong to no Service.
const OrphanSlice = "EndpointSlice without a Service"

// Report counts the objects that were read, and has the warnings.
type Report struct {
	Services int // given to the sink
	// Refused counts the objects that cannot be used, and the entries that are not Kubernetes objects.
	Refused int
	// Skipped counts the objects of other kinds. Kinds of an API group with a name are counted as Kind.group.
	Skipped Kinds
	// Warnings has the first hundred warnings. Suppressed counts the rest.
	Warnings   []Warning
	Suppressed int
	// Unread has the namespaces of a cluster that this service is not allowed to read, "" for all of them.
	Unread []string
}

// Limits on the size of a report.
const (
	maxWarnings = 100
	maxKinds    = 64
)

// otherKinds is the kind for counting all kinds after the first maxKinds.
const otherKinds = "others"

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

// Skip counts an object of another kind.
func (r *Report) Skip(kind string) {
	if r.Skipped == nil {
		r.Skipped = Kinds{}
	}
	r.Skipped.Add(kind)
}

// Kinds counts objects by kind.
type Kinds map[string]int

// Add counts an object. The map stays small and printable for any input.
func (k Kinds) Add(kind string) {
	if _, known := k[kind]; !known &&
		(len(k) >= maxKinds || kind != OrphanSlice && len(validation.IsDNS1123Subdomain(strings.ToLower(kind))) > 0) {
		kind = otherKinds
	}
	k[kind]++
}

// String lists kinds with their counts, the most frequent first: "8 ConfigMap, 4 Deployment".
func (k Kinds) String() string {
	const shown = 5
	kinds := slices.SortedFunc(maps.Keys(k), func(a, b string) int {
		return cmp.Or(k[b]-k[a], strings.Compare(a, b))
	})
	var parts []string
	for _, kind := range kinds[:min(len(kinds), shown)] {
		parts = append(parts, fmt.Sprintf("%d %s", k[kind], kind))
	}
	if len(kinds) > shown {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}
