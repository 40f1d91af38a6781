package inventory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// The tenants that an owner names are what the agent reads: those of one namespace take a bounded room.
func TestTenantsAreBounded(t *testing.T) {
	t.Attr("req", "DTS-DET-14")
	t.Attr("req", "DTS-SEC-3")
	for name, tc := range map[string]struct {
		tenant     string
		configured bool
		gateway    bool // the tenant is in the path
		trusted    bool
		most       int
		published  int
	}{
		"long ones":               {strings.Repeat("a", 60), false, false, false, 50, 16},
		"where any number may be": {strings.Repeat("a", 60), false, false, false, 0, 16},
		"as people call teams":    {"team-a", false, false, false, 50, 50},
		"of the configuration":    {strings.Repeat("a", 60), true, false, false, 50, 50},
		"the same of a gateway":   {strings.Repeat("a", 60), true, true, false, 50, 50},
		"a gateway's, long ones":  {strings.Repeat("a", 60), false, true, false, 50, 16},
		"of a trusted namespace":  {strings.Repeat("a", 60), false, false, true, 50, 50},
	} {
		d := svc{ref: at("team", "loki"), typ: "loki", strength: backend.Strong}.detection()
		d.Service.Created = time.Unix(1, 0)
		one := *d.Candidates[0]
		d.Candidates = nil
		var all []string
		for i := range 50 {
			all = append(all, fmt.Sprintf("%s%02d", tc.tenant, i))
		}
		for _, tenant := range all {
			c := one
			c.Tenant, c.TenantHeader, c.Instance = tenant, "X-Scope-OrgID", one.Instance+"/"+tenant
			if tc.gateway {
				c.TenantHeader, c.TenantPath = "", "/api/logs/v1/$(tenant)"
				c.Path, c.FixedPath = "/api/logs/v1/"+tenant, true
			}
			if !tc.configured {
				c.Tenants = all
			}
			d.Candidates = append(d.Candidates, &c)
		}
		o := inventory.Options{MaxPerNamespace: tc.most, Type: builtin(t).Lookup}
		if tc.trusted {
			o.TrustedNamespaces = []string{"team"}
		}
		published := 0
		for _, f := range inventory.Build([]inventory.Detection{d}, nil, o) {
			switch {
			case f.Verdict == backend.Accepted:
				published++
			case f.Reason.Code.Limit() != backend.LimitNamespace || !strings.Contains(view.Reason(f), "tenants"):
				t.Errorf("%s: %s is left out: %s (%s)", name, f.Candidate.Tenant, view.Reason(f), f.Reason.Code.Limit())
			}
		}
		if published != tc.published {
			t.Errorf("%s: %d are published, want %d", name, published, tc.published)
		}
	}
}
