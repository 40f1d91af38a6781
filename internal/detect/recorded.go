package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Recorded returns why the configuration no longer allows a candidate that was published before and whose Service
// cannot be read; no reason if it still does. It takes a note and a link that are no longer allowed from the candidate.
func (d *Detector) Recorded(c *backend.Candidate) backend.Reason {
	r := reader{s: c.Service, d: d}
	namespace := c.Service.Namespace
	if r.addsNothing() {
		c.Description = ""
	}
	if _, host := plainLink(c.Link); !d.AllowsLink(namespace, host) {
		c.Link = ""
	}
	switch {
	case c.Type == backend.TypeMCP && !d.trusts(namespace):
		return wrong(backend.CodeAnnotationMCPUntrusted, annType, c.Type)
	case c.Custom && r.addsNothing():
		return wrong(backend.CodeAnnotationTypeUntrusted, annType, c.Type)
	case c.Unproven && r.addsNothing():
		return wrong(backend.CodeAnnotationHealthUntrusted, annHealth, "none")
	case c.Host != "" && !r.hadHost(c.Host) && !d.allowsHost(c.Host): // older releases did not record it
		return reason(backend.CodeAnnotationEndpointHost,
			backend.Details{Annotation: annEndpoint, Value: clip(c.Host), Host: show(d.hostOf(c.Service))})
	case c.Tenant != "" && !d.trusts(namespace) && !backend.PlainTenant(c.Tenant) &&
		!slices.Contains(d.opts.Tenants[c.Type][c.Service.Ref], c.Tenant):
		return reason(backend.CodeAnnotationTenantUntrusted,
			backend.Details{Annotation: annTenant, Value: clip(c.Tenant), Limit: backend.MaxPlainTenant})
	}
	return backend.Reason{}
}

// hadHost reports whether a host is one of the Service's own names, perhaps in an earlier domain of the cluster.
func (r *reader) hadHost(host string) bool {
	return r.ownHost(host) && r.keepsHost(host) || strings.HasPrefix(host, r.s.Name+"."+r.s.Namespace+".svc.")
}
