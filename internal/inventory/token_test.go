package inventory_test

import (
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// On OpenShift the agent's own token goes to nobody's Prometheus but the cluster's own and those that are trusted.
func TestTokenStaysAtHome(t *testing.T) {
	t.Attr("req", "DTS-OUT-14 DTS-SEC-3")
	in := func(namespace, typ string) svc {
		return svc{ref: at(namespace, typ), typ: typ, strength: backend.Strong, outcome: backend.Ready, identity: true}
	}
	list := []svc{
		in("evil", "prometheus"), in("evil", "thanos"), in("evil", "victoriametrics"), in("evil", "mimir"),
		in("evil", "grafana"), in("evil", "jaeger"), in("platform", "prometheus"), in("openshift-monitoring", "thanos"),
	}
	want := map[string]bool{"evil/prometheus": true, "evil/thanos": true, "evil/victoriametrics": true, "evil/mimir": true}
	is := func(yes bool) func([]*backend.Finding) bool { return func([]*backend.Finding) bool { return yes } }
	for name, tc := range map[string]struct {
		openShift func([]*backend.Finding) bool
		list      []svc
		kept      bool
	}{
		"OpenShift":                          {is(true), list, true},
		"another cluster":                    {is(false), list, false},
		"nobody says":                        {nil, list, false},
		"told by its namespaces":             {inventory.OpenShiftNamespaces, list, true},
		"told by its namespaces not to be":   {inventory.OpenShiftNamespaces, list[:7], false},
		"a name that only begins like those": {inventory.OpenShiftNamespaces, append(list[:7:7], in("openshifty", "loki")), false},
	} {
		t.Run(name, func(t *testing.T) {
			o := inventory.Options{OpenShift: tc.openShift, TrustedNamespaces: []string{"platform"}}
			for ref, f := range build(t, o, tc.list...) {
				if f.KeepToken != (tc.kept && want[ref]) {
					t.Errorf("%s: kept %t", ref, f.KeepToken)
				}
			}
		})
	}
}

// What OpenShift's monitoring wants is the token that HolmesGPT sends by itself: no reference is written for it.
func TestTokenIsEnoughForTheClustersOwn(t *testing.T) {
	t.Attr("req", "DTS-OUT-14")
	querier := svc{ref: at("openshift-monitoring", "thanos-querier"), typ: "thanos", strength: backend.Strong, outcome: backend.AuthRequired}
	stranger := svc{ref: at("evil", "thanos-querier"), typ: "thanos", strength: backend.Strong, outcome: backend.AuthRequired}
	for _, openShift := range []bool{true, false} {
		got := build(t, inventory.Options{OpenShift: func([]*backend.Finding) bool { return openShift }}, querier, stranger)
		f := got["openshift-monitoring/thanos-querier"]
		if accepted := f.Verdict == backend.Accepted; accepted != openShift || f.Credentials != nil || f.KeepToken {
			t.Errorf("OpenShift %t: %s: %s, %v", openShift, f.Verdict, view.Reason(f), f.Credentials)
		}
		if f := got["evil/thanos-querier"]; f.Verdict != backend.Unavailable {
			t.Errorf("OpenShift %t: a stranger's is %s", openShift, f.Verdict)
		}
	}
}

// The token of this cluster goes to no backend outside it, though the configuration vouches for that.
func TestTokenStaysInTheCluster(t *testing.T) {
	t.Attr("req", "DTS-OUT-14")
	c := builtin(t)
	for _, typ := range []string{"", backend.TypeOutside} {
		d := svc{ref: at(backend.OutsideNamespace, "amp"), strength: backend.Explicit}.detection()
		d.Service.Type = typ
		all := inventory.Build([]inventory.Detection{d}, map[backend.Key]backend.Observation{
			d.Candidates[0].Key(): {Outcome: backend.Ready, Identity: true},
		}, inventory.Options{
			Type: c.Lookup, TrustedNamespaces: []string{backend.OutsideNamespace},
			OpenShift: func([]*backend.Finding) bool { return true },
		})
		if kept := all[0].KeepToken; kept != (typ == backend.TypeOutside) {
			t.Errorf("type %q: the token is kept: %t", typ, kept)
		}
	}
}
