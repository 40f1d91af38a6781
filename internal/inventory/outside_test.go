package inventory_test

import (
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// An outside backend has no age: Services of a known age come before it, until the configuration says otherwise. It takes the place of a
// recorded primary only where anybody that the configuration vouches for would.
func TestOutsideBackendAsPrimary(t *testing.T) {
	t.Attr("req", "DTS-DET-13 DTS-OUT-4")
	outside := svc{ref: at(backend.OutsideNamespace, "amp"), strength: backend.Explicit, outcome: backend.Ready, identity: true}
	service := svc{ref: at("mon", "prometheus"), strength: backend.Strong, day: 1, outcome: backend.Ready, identity: true}
	down := service
	down.outcome = backend.Unreachable
	ageless := service
	ageless.day = 0
	trusting := inventory.Options{FirstRoundOver: true, TrustedNamespaces: []string{backend.OutsideNamespace}}
	recorded, configured := trusting, trusting
	recorded.Recorded = map[string]backend.Ref{"prometheus": service.ref}
	configured.Primary = map[string]backend.Ref{"prometheus": outside.ref}
	for name, tt := range map[string]struct {
		options inventory.Options
		service svc
		want    backend.Ref
	}{
		"an older Service":              {trusting, service, service.ref},
		"a Service of no age, of files": {trusting, ageless, outside.ref},
		"the recorded one":              {recorded, service, service.ref},
		"the recorded one is down":      {recorded, down, outside.ref},
		"the configuration names it":    {configured, service, outside.ref},
	} {
		for ref, f := range build(t, tt.options, outside, tt.service) {
			if f.Primary != (ref == tt.want.String()) {
				t.Errorf("%s: %s is primary: %t", name, ref, f.Primary)
			}
		}
	}
}
