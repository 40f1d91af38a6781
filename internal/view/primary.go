package view

import (
	"fmt"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// primaryNote says which rule made a finding the primary, or why it is not the primary: the place is kept for another
// Service. It is "" if there is nothing to say.
func primaryNote(f *backend.Finding) string {
	switch {
	case f.Yields:
		return f.ShardOf.Ref.String() + " sees all that it has, and comes before it"
	case f.Primary && f.Kept.For != (backend.Ref{}):
		return "for now: the place is kept for " + kept(f)
	case f.Provisional:
		return fmt.Sprintf("for now: %s takes its place as soon as it works", f.Blocker)
	case f.Kept.For != (backend.Ref{}):
		return "the place is kept for " + kept(f)
	case f.Primary:
		return primaryRule(f.PrimaryBy)
	}
	return ""
}

// primaryRule describes a primary by the rule that chose it.
func primaryRule(rule backend.PrimaryRule) string {
	const locked = " (none works without credentials)"
	switch rule {
	case backend.PrimaryOldest:
		return "the oldest of its type"
	case backend.PrimaryOldestLocked:
		return "the oldest of its type" + locked
	case backend.PrimaryFirst:
		return "the first of its type"
	case backend.PrimaryFirstLocked:
		return "the first of its type" + locked
	}
	return "the one " + ruleClause(rule)
}

// ruleClause describes a rule as a relative clause about a Service.
func ruleClause(rule backend.PrimaryRule) string {
	switch rule {
	case backend.PrimaryConfigured:
		return "which the configuration names"
	case backend.PrimaryAnnotated:
		return "whose owner annotated it as the primary"
	case backend.PrimaryRecorded:
		return "which was the primary so far"
	}
	return "which comes first"
}

// kept names the Service for which the place of the primary is kept, the rule, and why it is not the primary now.
func kept(f *backend.Finding) string {
	var away string
	switch k := f.Kept; k.Verdict {
	case "":
		away = "does not exist, cannot be read, or is not " + f.Type + " any more"
	case backend.Accepted:
		away = "is published without proof"
	case backend.Unavailable:
		away = "does not work now"
	case backend.Duplicate:
		away = "is a duplicate of " + k.Winner.String()
	default:
		away = "is " + string(k.Verdict)
	}
	return fmt.Sprintf("%s, %s and which %s", f.Kept.For, ruleClause(f.Kept.By), away)
}

// Misnamed says what is wrong with a primary that the configuration names. f is the finding of that Service, nil if the
// Service does not exist.
func Misnamed(typ string, f *backend.Finding) string {
	switch {
	case f == nil:
		return "there is no such Service among those that are read"
	case f.Candidate == nil && f.Type != "" && f.Type != typ, f.Candidate != nil && f.Type != typ:
		return "that Service is " + f.Type + ", not " + typ
	case f.Verdict == backend.Duplicate:
		return fmt.Sprintf("that Service is a duplicate: name %s instead", f.Winner)
	case f.Candidate != nil && f.Candidate.Unproven:
		return "that Service is published without a probe: remove its annotation kubernaut.io/toolset-health-endpoint"
	}
	return "that Service is not " + typ + ": " + Reason(f)
}

// MisnamedLine returns the line of the configuration that names such a primary, and what is wrong with it.
func MisnamedLine(typ string, ref backend.Ref, f *backend.Finding) string {
	return fmt.Sprintf("primary: {%s: %s}: %s; until it is corrected, no %s is the primary",
		typ, ref, Misnamed(typ, f), typ)
}

// advisePrimary returns the lines that change the primary of a type with several instances.
func (m *Material) advisePrimary(f *backend.Finding) []Advice {
	if f.Candidate == nil || m.Catalog.Lookup(f.Type) == nil {
		return nil
	}
	var others []*backend.Finding // the other instances of the type
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
		i := slices.IndexFunc(others, func(o *backend.Finding) bool { return o.Kept.For == f.Ref })
		if i < 0 {
			return nil
		}
		return []Advice{{fmt.Sprintf("The place of the primary %s is kept for it. "+
			"To make another Service the primary, name it in the configuration:", f.Type), line(others[i].Ref)}}
	case f.Primary && len(others) > 0:
		text := fmt.Sprintf("It is the primary %s. To make another Service the primary, "+
			"name it in the configuration:", f.Type)
		return []Advice{{text, line(others[0].Ref)}}
	case f.Primary, f.Candidate.Unproven, len(others) == 0 && f.Kept.For == (backend.Ref{}):
		return nil
	}
	out := []Advice{{fmt.Sprintf("To make it the primary %s, name it in the configuration:", f.Type), line(f.Ref)}}
	_, configured := m.Primary[f.Type]
	annotated := primary != nil && primary.Candidate.Primary
	if slices.Contains(m.TrustedNamespaces, f.Namespace) && !configured && !annotated {
		out = append(out, m.Hints.annotate(f, "Or annotate the Service, because its namespace is trusted:",
			"kubernaut.io/toolset-primary=true")...)
	}
	return out
}
