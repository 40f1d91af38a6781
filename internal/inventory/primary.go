package inventory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// choosePrimaries marks one accepted instance of each type (DTS-OUT-4): the configured one, else the recorded one while
// its Service exists, else the oldest Service. Where nobody knows an age, the Service nearest to the users comes first.
func choosePrimaries(all []*backend.Finding, o Options) {
	byType := map[string][]*backend.Finding{}
	exists := map[backend.Ref]bool{}
	for _, f := range all {
		exists[f.Ref] = true
		if f.Verdict == backend.Accepted {
			byType[f.Type] = append(byType[f.Type], f)
		}
	}
	for typ, list := range byType {
		slices.SortFunc(list, func(a, b *backend.Finding) int {
			return cmp.Or(
				older(a, b)*yes(!a.Service.Created.Equal(b.Service.Created)),
				cmp.Compare(b.Candidate.Strength, a.Candidate.Strength),
				cmp.Compare(a.Candidate.Tier, b.Candidate.Tier),
				a.Ref.Compare(b.Ref),
			)
		})
		find := func(want backend.Ref) *backend.Finding {
			if i := slices.IndexFunc(list, func(f *backend.Finding) bool { return f.Ref == want }); i >= 0 {
				return list[i]
			}
			return nil
		}
		primary := list[0]
		if want, ok := o.Recorded[typ]; ok && exists[want] {
			primary = find(want) // nil while it is not accepted: nobody else takes its place and its credentials
		}
		if f := find(o.Primary[typ]); f != nil {
			primary = f
		}
		if primary != nil {
			primary.Primary = true
		}
	}
}

// giveCredentials decides which instances carry references to credentials. HolmesGPT fails every instance of a toolset if
// one variable is missing, so they are given only to those that the configuration lists and to a primary that wants some;
// another instance that wants some is held back, with the lines to add.
func giveCredentials(all []*backend.Finding, o Options) {
	for _, f := range all {
		if f.Verdict != backend.Accepted {
			continue
		}
		if fields := o.Credentials[f.Type][f.Ref]; len(fields) > 0 {
			f.Credentials = maps.Clone(fields)
			continue
		}
		t := o.Type(f.Type)
		wants := f.Observation.Outcome == backend.AuthRequired ||
			f.Observation.Outcome == backend.Unprobed && t != nil && t.Toolset.UsuallyWantsCredentials
		if !wants {
			continue
		}
		defaults := defaultCredentials(t)
		switch {
		case f.Primary && len(defaults) > 0:
			f.Credentials = defaults
			if f.Observation.Outcome == backend.AuthRequired {
				f.Reason = "it is up and wants credentials, which HolmesGPT takes from " + strings.Join(slices.Sorted(maps.Values(defaults)), ", ")
			}
		case f.Observation.Outcome == backend.AuthRequired:
			f.Verdict = backend.Unavailable
			f.Reason = "it wants credentials; " + remedy(f, t)
		}
	}
}

func defaultCredentials(t *catalog.Type) map[string]string {
	m := map[string]string{}
	if t != nil {
		for _, c := range t.Toolset.Credentials {
			if c.Variable != "" {
				m[c.Field] = c.Variable
			}
		}
	}
	return m
}

// remedy is the configuration to add, in a form to paste.
func remedy(f *backend.Finding, t *catalog.Type) string {
	defaults := defaultCredentials(t)
	if len(defaults) == 0 {
		return "there is no place for them in HolmesGPT's toolset for it"
	}
	suffix := "_" + strings.ToUpper(strings.NewReplacer("-", "_", "/", "_").Replace(f.Ref.String()))
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(defaults)) {
		fields = append(fields, field+": "+defaults[field]+suffix)
	}
	return fmt.Sprintf("to publish it, add to the configuration: credentials: {%s: {%s: {%s}}}", f.Type, f.Ref, strings.Join(fields, ", "))
}
