package inventory

import (
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Misnamed is a primary that the configuration names and that none can be: its place is kept, and no instance of
// the type is the primary.
type Misnamed struct {
	Type string
	backend.Ref
	Finding *backend.Finding // what became of the Service; nil where there is none
}

// MisnamedPrimaries are those among the findings, by type. known reports whether there is a Service, as far as that
// can be told: nothing is said of one whose namespace was not read.
func MisnamedPrimaries(all []*backend.Finding, primary map[string]backend.Ref, known func(backend.Ref) (exists, sure bool)) (list []Misnamed) {
	for _, typ := range slices.Sorted(maps.Keys(primary)) {
		ref := primary[typ]
		f := nearest(all, typ, ref)
		wrong := f != nil && (f.Candidate == nil || f.Type != typ || f.Verdict == backend.Duplicate || rejected(f))
		if f == nil {
			var exists bool
			if exists, wrong = known(ref); exists {
				f = &backend.Finding{Ref: ref, Verdict: backend.Rejected, Reason: backend.Reason{Code: backend.CodeUnmatched}}
			}
		}
		if wrong {
			list = append(list, Misnamed{typ, ref, f})
		}
	}
	return list
}

// rejected: it is not that something else works, or comes first.
func rejected(f *backend.Finding) bool {
	return f.Verdict == backend.Rejected && f.Reason.Code.Limit() == ""
}

// nearest is the finding of a Service as a type, else one of the Service; nil where there is none.
func nearest(all []*backend.Finding, typ string, ref backend.Ref) (found *backend.Finding) {
	for _, f := range all {
		if f.Ref == ref && (found == nil || f.Type == typ) {
			found = f
		}
	}
	return found
}
