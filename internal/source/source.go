// Package source is where Services and EndpointSlices come from: files (or standard input) and a cluster that is listed
// once. Both hand every object to a Sink as soon as it is read and keep nothing of it, so that memory does not depend on
// how many there are. The conversions serve a watch just as well.
package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Sink takes what is read, one object at a time and never two at once. Services and EndpointSlices come in any order.
// When reading ends in an error, what the sink was given so far is a part of the whole and should be thrown away.
type Sink interface {
	// Service is called for each Service. One with a Ref that was given before replaces the earlier one.
	Service(backend.Service)
	// Endpoints is called for each EndpointSlice, with the Service it belongs to. There may be several for one Service.
	// fqdn says that the slice holds host names, which are never dialled; the slice has no addresses then.
	Endpoints(ref backend.Ref, slice backend.EndpointSlice, fqdn bool)
}

// Report says what was read.
type Report struct {
	Services int // given to the sink
	Slices   int // given to the sink
	Refused  int // Services and EndpointSlices that cannot be used, and entries that are no Kubernetes object at all
	// Skipped counts the objects of other kinds, by kind; kinds of other API groups as Kind.group.
	Skipped map[string]int
	// Warnings are the first hundred things a person should know; Suppressed counts the rest.
	Warnings   []Warning
	Suppressed int
	// Unread are the namespaces of a cluster that may not be read, "" for all of them.
	Unread []string
}

// Warning is one thing in the input that could not be used, or not as it stands.
type Warning struct {
	Where   string      // the file and the place in it; "" for a cluster
	Kind    string      // Service or EndpointSlice; "" where it is neither or cannot be told
	Ref     backend.Ref // the object's name where it has a valid one
	Refused bool        // the object was left out
	Text    string
}

// String is one line for people.
func (w Warning) String() string {
	if w.Where == "" {
		return w.Text
	}
	what := w.Kind
	if w.Ref.Name != "" {
		what += " " + w.Ref.String()
	}
	if what == "" {
		return w.Where + ": " + w.Text
	}
	return fmt.Sprintf("%s: %s: %s", w.Where, what, w.Text)
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
		r.Skipped = make(map[string]int)
	}
	countKind(r.Skipped, kind)
}

// countKind keeps a map of kinds small and printable, whatever the input calls its objects.
func countKind(counts map[string]int, kind string) {
	if _, known := counts[kind]; !known && (len(counts) >= maxKinds || kind != OrphanSlice && !isToken(kind, maxHost)) {
		kind = otherKinds
	}
	counts[kind]++
}

// skippedText lists kinds with their counts, the most frequent first: "8 ConfigMap, 4 Deployment".
func skippedText(skipped map[string]int) string {
	const shown = 5
	kinds := slices.SortedFunc(maps.Keys(skipped), func(a, b string) int {
		if d := skipped[b] - skipped[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, k := range kinds[:min(len(kinds), shown)] {
		parts = append(parts, fmt.Sprintf("%d %s", skipped[k], k))
	}
	if len(kinds) > shown {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}
