package detect

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// spread sets the tenants of each candidate: those that the configuration names, else those that its owner names, else
// those that every installation has. A gateway that only has an API for each tenant waits until one is named.
func (d *Detector) spread(r *Result) {
	unused, used, overruled := "", false, false
	for _, c := range r.Candidates {
		tenants, rule, header := d.tenancy(c)
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

// PerTenant returns one candidate for each tenant of c, or c itself if it has none. They are made only when they are
// needed: an owner can name fifty tenants in a few bytes.
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

// tenancy returns the tenants that the configuration names for the candidate, the rule that the Service matches, which
// may name tenants, and the header for a tenant's name. What the candidate's own type does not say, a relative does,
// which it may turn out to be.
func (d *Detector) tenancy(c *backend.Candidate) (named []string, rule *catalog.Rule, header string) {
	t := d.lookup(c.Type)
	if t == nil {
		return nil, nil, ""
	}
	for _, t := range append([]*catalog.Type{t.Type}, t.Relatives()...) {
		if len(named) == 0 {
			named = d.opts.Tenants[t.Type][c.Service.Ref]
		}
		header = cmp.Or(header, t.Tenants.Header)
	}
	return named, d.strongRule(t, c.Service), header
}
