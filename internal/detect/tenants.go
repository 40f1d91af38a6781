package detect

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// spread says of each candidate for which tenants it stands: those that the configuration names, else its owner, else
// every installation has. A gateway that has no API but those of its tenants waits until one is named.
func (d *Detector) spread(r *Result) {
	unused, used, overruled := "", false, false
	for _, c := range r.Candidates {
		rule, header := d.tenantsOf(c)
		tenants := d.namedTenants(c)
		other := func(name string) bool { return !slices.Contains(tenants, name) }
		overruled = overruled || len(tenants) > 0 && slices.ContainsFunc(c.Tenants, other)
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
		case gateway:
			c.Spread, c.TenantPath = tenants, rule.TenantPath
		case header != "":
			c.Spread, c.TenantHeader = tenants, header
		default:
			unused = c.Type
		}
		used = used || len(c.Spread) > 0
	}
	switch {
	case r.Warning.Is():
	case overruled:
		r.Warning = reason(backend.CodeAnnotationOverruled, backend.Details{Annotation: annTenant})
	case unused != "" && !used:
		r.Warning = reason(backend.CodeAnnotationUnused, backend.Details{Annotation: annTenant, Type: unused})
	}
}

// PerTenant are the candidates that one stands for: one for each tenant, or itself. An owner names fifty in few
// bytes, so that they are made for no more than is looked at.
func PerTenant(c *backend.Candidate) []*backend.Candidate {
	if len(c.Spread) == 0 {
		return []*backend.Candidate{c}
	}
	var list []*backend.Candidate
	for _, name := range c.Spread {
		one := *c
		one.Spread, one.Tenant, one.Instance = nil, name, c.Instance+"/"+name
		if c.TenantPath != "" {
			one.Path, one.FixedPath = strings.Replace(c.TenantPath, catalog.PlaceholderTenant, name, 1), true
		}
		list = append(list, &one)
	}
	return list
}

// namedTenants are those that the configuration names: for the candidate's type, else for a relative, as which it may
// prove itself.
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

// tenantsOf is what the catalog says of a candidate's tenants: the rule that the Service matches, and the header of
// its type, else of a relative, which may be what it is.
func (d *Detector) tenantsOf(c *backend.Candidate) (*catalog.Rule, string) {
	i := slices.IndexFunc(d.types, func(t *compiled) bool { return t.Type.Type == c.Type })
	if i < 0 {
		return nil, ""
	}
	header := d.types[i].Tenants.Header
	for _, relative := range d.types[i].Relatives() {
		header = cmp.Or(header, relative.Tenants.Header)
	}
	return catalog.FirstMatch(d.types[i].Detect.Strong, c.Service), header
}
