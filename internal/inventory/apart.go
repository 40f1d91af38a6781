package inventory

import (
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/recipe"
)

// keepApart removes variable names from suggestions if another instance uses them: names that the configuration or the
// overrides set, or the usual names of a type.
func (o *Options) keepApart(all []*backend.Finding) {
	var suggested []*backend.Finding
	primaries, types := map[string]backend.Ref{}, map[string]bool{}
	for _, f := range all {
		if f.Verdict != backend.Accepted || f.Candidate.Unproven {
			continue
		}
		suggested, types[f.Type] = append(suggested, f), true
		f.Entitled = (len(o.Credentials[f.Type][f.Ref]) > 0 || o.entitled(f)) && !f.LacksTLS()
		if o.entitled(f) {
			primaries[f.Type] = f.Ref
		}
	}
	owners := o.owners(types, primaries)
	for _, f := range suggested {
		f.Apart = recipe.Apart(f, o.Type(f.Type), func(variable string) bool {
			owner, taken := owners[variable]
			return taken && owner != f.Ref
		})
	}
}

// owners returns the Service that each variable is for, the zero Ref if there is no Service or several. The usual
// variables of a type belong to its primary, or to the only Service for which the configuration sets credentials.
func (o *Options) owners(types map[string]bool, primaries map[string]backend.Ref) map[string]backend.Ref {
	owners := map[string]backend.Ref{}
	for _, variable := range o.Taken {
		owners[variable] = backend.Ref{}
	}
	for typ := range o.Credentials {
		types[typ] = true
	}
	for typ := range types {
		usual, known := primaries[typ]
		if named := o.Credentials[typ]; !known && len(named) == 1 {
			for ref := range named {
				usual = ref
			}
		}
		for _, variable := range usualVariables(o.Type(typ)) {
			owners[variable] = usual
		}
	}
	given := map[string]backend.Ref{}
	for _, services := range o.Credentials {
		for ref, fields := range services {
			for _, variable := range fields {
				owner := ref
				if other, twice := given[variable]; twice && other != ref {
					owner = backend.Ref{}
				}
				given[variable], owners[variable] = owner, owner
			}
		}
	}
	return owners
}

func usualVariables(t *catalog.Type) (names []string) {
	if t == nil {
		return nil
	}
	for i := range t.Toolset.Credentials {
		if variable := t.Toolset.Credentials[i].Variable; variable != "" {
			names = append(names, variable)
		}
	}
	return names
}
