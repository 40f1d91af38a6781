package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Sink takes what is read, one object at a time and never two at once. Services and EndpointSlices come in any order.
// When reading ends in an error, what the sink was given so far is a part of the whole and should be thrown away.
type Sink interface {
	// Service is called for each Service. One with a Ref that was given before replaces the earlier one.
	Service(backend.Service)
	// Slice is called for each EndpointSlice, with the Service it belongs to. One with a name that was given before
	// in the same namespace replaces the earlier one.
	Slice(service backend.Ref, s Slice)
	// Expose is called for each object that may lead people to Services of its namespace, by their names. One that
	// was given before is replaced.
	Expose(by Exposer, services map[string][]backend.Exposure)
}

// Exposer is an object that leads people to Services.
type Exposer struct {
	Kind string
	backend.Ref
}

// OrphanSlice is the kind under which EndpointSlices of no Service are counted.
const OrphanSlice = "EndpointSlice without a Service"

// Report says what was read.
type Report struct {
	Services int // given to the sink
	Slices   int // given to the sink
	// Refused counts the Services, EndpointSlices and objects that lead to Services that cannot be used, and the
	// entries that are not Kubernetes objects.
	Refused int
	// Skipped counts the objects of other kinds, by kind; kinds of other API groups as Kind.group.
	Skipped Kinds
	// Warnings are the first hundred things a person should know; Suppressed counts the rest.
	Warnings   []Warning
	Suppressed int
	// Unread are the namespaces of a cluster that may not be read, "" for all of them.
	Unread []string
}

// Bounds on what a report keeps, whatever the input is.
const (
	maxWarnings = 100
	maxKinds    = 64
)

// otherKinds gathers what is skipped once maxKinds different kinds were seen.
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

// Add counts one. The map stays small and printable, whatever the input calls its objects.
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
		if d := k[b] - k[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
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
