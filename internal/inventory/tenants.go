package inventory

import (
	"fmt"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// wantTenant holds back a backend that serves tenants if no tenant is named: a gateway whose API is below each
// tenant's path, or a proven backend that answers that the tenant is missing.
func (o *Options) wantTenant(f *backend.Finding) {
	c, seen := f.Candidate, &f.Observation
	asks := seen.Outcome == backend.AuthRequired && seen.Wants == backend.KindTenant && c.Tenant == "" &&
		(c.Strength >= backend.Strong || seen.Identity) && len(o.Credentials[f.Type][f.Ref]) == 0
	if !asks && !c.WantsTenant || seen.Cause == backend.CauseDenied {
		return
	}
	typ := f.Type
	if t := o.Type(typ); t != nil && t.Tenanted() != nil { // a Prometheus has none: it is a relative that asks for one
		typ = t.Tenanted().Type
	}
	f.Verdict, f.Reason = backend.Unavailable, backend.Reason{Code: backend.CodeTenantMissing}
	f.Remedies = []string{fmt.Sprintf("tenants: {%s: {%s: [TENANT]}}", typ, f.Ref)}
}
