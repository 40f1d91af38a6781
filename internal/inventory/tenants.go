package inventory

import (
	"fmt"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// wantTenant keeps back what serves tenants of which nobody has named one (DTS-DET-14): a gateway whose API is below each
// tenant's path, and a backend that is known for what it is and answers that a tenant is missing.
func (o *Options) wantTenant(f *backend.Finding) {
	c, seen := f.Candidate, &f.Observation
	asks := seen.Outcome == backend.AuthRequired && seen.Wants == backend.KindTenant && c.Tenant == "" &&
		(c.Strength >= backend.Strong || seen.Identity) && len(o.Credentials[f.Type][f.Ref]) == 0
	if !asks && !c.WantsTenant || seen.Cause == backend.CauseDenied {
		return
	}
	why := "it keeps the data of each tenant apart and wants one named in each request"
	if c.WantsTenant {
		why = "it is a gateway with an API for each tenant"
	}
	typ := f.Type
	if t := o.Type(typ); t != nil && t.Tenanted() != nil { // a Prometheus has none: it is a relative that asks for one
		typ = t.Tenanted().Type
	}
	line := fmt.Sprintf("tenants: {%s: {%s: [TENANT]}}", typ, f.Ref)
	f.Verdict, f.Remedies = backend.Unavailable, []string{line}
	f.WantsTenant = true
	f.Reason = why + ", and nobody has said which to read; to publish it, add to the configuration: " + line +
		", or annotate the Service with kubernaut.io/toolset-tenant=TENANT"
}
