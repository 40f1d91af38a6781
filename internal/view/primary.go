package view

import (
	"fmt"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// primaryNote says of the primary which rule made it that, and of another for whom the place is kept; "" where it is not.
func primaryNote(f *backend.Finding) string {
	switch {
	case f.Provisional:
		return fmt.Sprintf("for now: %s comes before it as soon as it works", f.Blocker)
	case f.KeptFor != (backend.Ref{}):
		return fmt.Sprintf("the place is kept for %s, %s", f.KeptFor, f.KeptWhy)
	case f.Primary:
		return f.PrimaryWhy
	}
	return ""
}

// advisePrimary are the lines that change the primary of a type with several instances.
func (m *Material) advisePrimary(f *backend.Finding) []Advice {
	if f.Candidate == nil || m.Catalog.Lookup(f.Type) == nil {
		return nil
	}
	var others []*backend.Finding // the instances beside it
	var primary *backend.Finding
	for _, o := range m.Findings {
		if o.Type != f.Type || o.Verdict != backend.Accepted {
			continue
		}
		if o.Primary {
			primary = o
		}
		if o.Ref != f.Ref {
			others = append(others, o)
		}
	}
	line := func(ref backend.Ref) string { return fmt.Sprintf("primary: {%s: %s}", f.Type, ref) }
	switch {
	case f.Verdict != backend.Accepted:
		i := slices.IndexFunc(others, func(o *backend.Finding) bool { return o.KeptFor == f.Ref })
		if i < 0 {
			return nil
		}
		return []Advice{{fmt.Sprintf("The place of the primary %s is kept for it. To have another as the primary, name that in the configuration:", f.Type),
			line(others[i].Ref)}}
	case f.Primary && len(others) > 0:
		return []Advice{{fmt.Sprintf("It is the primary %s. To have another as the primary, name that in the configuration:", f.Type), line(others[0].Ref)}}
	case f.Primary, f.Candidate.Unproven, len(others) == 0 && f.KeptFor == (backend.Ref{}):
		return nil
	}
	out := []Advice{{fmt.Sprintf("To make it the primary %s, name it in the configuration:", f.Type), line(f.Ref)}}
	_, configured := m.Primary[f.Type]
	annotated := primary != nil && primary.Candidate.Primary
	if slices.Contains(m.TrustedNamespaces, f.Namespace) && !configured && !annotated {
		out = append(out, Advice{"Or say so on the Service, since its namespace is trusted:", m.Hints.annotate(f, "kubernaut.io/toolset-primary=true")})
	}
	return out
}
