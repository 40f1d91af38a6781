package inventory

import (
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Misnamed is a primary that the configuration names but that cannot be a primary. Its place stays reserved, so no
// instance of the type is the primary.
type Misnamed struct {
	Type string
	backend.Ref
	Finding *backend.Finding // the finding of the Service; nil if there is none
}

// MisnamedPrimaries returns the misnamed primaries among the findings, by type. known reports whether the Service
// exists and whether that is certain; a Service in a namespace that was not read is skipped.
func MisnamedPrimaries(
	all []*backend.Finding, primary map[string]backend.Ref, known func(backend.Ref) (exists, sure bool),
) (list []Misnamed) {
	for _, typ := range slices.Sorted(maps.Keys(primary)) {
		ref := primary[typ]
		f := nearest(all, typ, ref)
		// One that is left out because another instance works or comes first is right.
		wrong := f != nil && (f.Candidate == nil || f.Type != typ || f.Verdict == backend.Duplicate ||
			f.Candidate.Unproven || f.Verdict == backend.Rejected && f.Reason.Code.Limit() == "")
		if f == nil {
			var exists bool
			if exists, wrong = known(ref); exists {
				reason := backend.Reason{Code: backend.CodeUnmatched}
				f = &backend.Finding{Ref: ref, Verdict: backend.Rejected, Reason: reason}
			}
		}
		if wrong {
			list = append(list, Misnamed{typ, ref, f})
		}
	}
	return list
}

// nearest returns the finding of a Service as a type, otherwise any finding of the Service, nil if there is no
// finding.
func nearest(all []*backend.Finding, typ string, ref backend.Ref) (found *backend.Finding) {
	for _, f := range all {
		if f.Ref == ref && (found == nil || f.Type == typ) {
			found = f
		}
	}
	return found
}
