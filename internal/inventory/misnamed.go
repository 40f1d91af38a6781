package inventory

import (
	"fmt"
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Misnamed is a primary that the configuration names and that none can be (DTS-OUT-4): its place is kept, and no instance of
// the type is the primary.
type Misnamed struct {
	Type string
	backend.Ref
	Why string
}

// String is the line of the configuration, and what is wrong with it.
func (m Misnamed) String() string {
	return fmt.Sprintf("primary: {%s: %s}: %s; while it stands there, no %s is the primary", m.Type, m.Ref, m.Why, m.Type)
}

// MisnamedPrimaries are those among the findings, by type. known reports whether there is a Service, as far as that can be told:
// nothing is said of one whose namespace was not read.
func MisnamedPrimaries(all []*backend.Finding, primary map[string]backend.Ref, known func(backend.Ref) (exists, sure bool)) (list []Misnamed) {
	for _, typ := range slices.Sorted(maps.Keys(primary)) {
		ref := primary[typ]
		why := ""
		switch f := nearest(all, typ, ref); {
		case f == nil:
			exists, sure := known(ref)
			switch {
			case !sure:
			case exists:
				why = "that Service is no " + typ + ": nothing about it looks like a known backend"
			default:
				why = "there is no such Service among those that are read"
			}
		case f.Candidate == nil && (f.Type == typ || f.Type == ""), f.Candidate != nil && f.Type == typ && rejected(f):
			why = "that Service is no " + typ + ": " + f.Reason
		case f.Type != typ:
			why = "that Service is " + f.Type + ", not " + typ
		case f.Verdict == backend.Duplicate:
			why = fmt.Sprintf("that Service is a duplicate: name %s, which is used", f.Winner)
		}
		if why != "" {
			list = append(list, Misnamed{typ, ref, why})
		}
	}
	return list
}

// rejected: it is not that something else works, or comes first.
func rejected(f *backend.Finding) bool { return f.Verdict == backend.Rejected && f.Limit == "" }

// nearest is the finding of a Service as a type, else one of the Service; nil where there is none.
func nearest(all []*backend.Finding, typ string, ref backend.Ref) (found *backend.Finding) {
	for _, f := range all {
		if f.Ref == ref && (found == nil || f.Type == typ) {
			found = f
		}
	}
	return found
}
