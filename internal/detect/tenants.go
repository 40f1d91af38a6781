package detect

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// perTenant makes of a candidate one for each tenant that the configuration names, else its owner, else every installation has
// (DTS-DET-14). A gateway that has no API but those of its tenants waits until one is named.
func (d *Detector) perTenant(r *Result) {
	var list []*backend.Candidate
	unused := ""
	for _, c := range r.Candidates {
		rule, header := d.tenantsOf(c)
		tenants := d.namedTenants(c)
		if len(tenants) == 0 {
			tenants = c.Tenants
		}
		gateway := rule != nil && rule.TenantPath != "" && !c.FixedPath && !c.ForeignHost
		if gateway && len(tenants) == 0 {
			tenants = rule.Tenants
		}
		switch {
		case len(tenants) == 0:
			c.WantsTenant = gateway
			list = append(list, c)
		case !gateway && header == "":
			unused = c.Type
			list = append(list, c)
		default:
			for _, name := range tenants {
				one := *c
				one.Tenant, one.Instance = name, c.Instance+"/"+name
				if gateway {
					one.Path, one.FixedPath = strings.Replace(rule.TenantPath, catalog.PlaceholderTenant, name, 1), true
				} else {
					one.TenantHeader = header
				}
				list = append(list, &one)
			}
		}
	}
	if unused != "" && len(list) == len(r.Candidates) && !r.Warning.Is() {
		r.Warning = reason(backend.CodeAnnotationUnused, backend.Details{Annotation: annTenant, Type: unused})
	}
	r.Candidates = list
}

// namedTenants are those that the configuration names: for the candidate's type, else for a relative, as which it may prove
// itself.
func (d *Detector) namedTenants(c *backend.Candidate) []string {
	tenants := d.opts.Tenants[c.Type][c.Service.Ref]
	if t := d.catalog.Lookup(c.Type); t != nil {
		for _, relative := range t.Relatives() {
			if len(tenants) == 0 {
				tenants = d.opts.Tenants[relative.Type][c.Service.Ref]
			}
		}
	}
	return tenants
}

// tenantsOf is what the catalog says of a candidate's tenants: the rule that the Service matches, and the header of its type,
// else of a relative, which may be what it is.
func (d *Detector) tenantsOf(c *backend.Candidate) (*catalog.Rule, string) {
	i := slices.IndexFunc(d.types, func(t *compiled) bool { return t.Type.Type == c.Type })
	if i < 0 {
		return nil, ""
	}
	header := d.types[i].Tenants.Header
	for _, relative := range d.types[i].Relatives() {
		header = cmp.Or(header, relative.Tenants.Header)
	}
	return d.strongRule(d.types[i], c.Service), header
}
