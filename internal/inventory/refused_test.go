package inventory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// The reference is for the kind of credential that the backend wants.
func TestCredentialsByKind(t *testing.T) {
	t.Attr("req", "DTS-PRB-8 DTS-OUT-4")
	tests := []struct {
		typ  string
		kind backend.Kind
		want map[string]string // nil: no place for it
	}{
		{"prometheus", "", map[string]string{"bearer_token": "PROMETHEUS_BEARER_TOKEN"}},
		{"prometheus", backend.KindBearer, map[string]string{"bearer_token": "PROMETHEUS_BEARER_TOKEN"}},
		{"prometheus", backend.KindBasic, map[string]string{"basic_auth": "PROMETHEUS_BASIC_AUTH"}},
		{"grafana", backend.KindBasic, map[string]string{"username": "GRAFANA_USERNAME", "password": "GRAFANA_PASSWORD"}},
		{"loki", backend.KindBasic, map[string]string{"username": "LOKI_USERNAME", "password": "LOKI_PASSWORD"}},
		{"loki", backend.KindTenant, nil}, // no secret: the lines name a tenant
		{"elasticsearch", backend.KindAPIKey, map[string]string{"api_key": "ELASTICSEARCH_API_KEY"}},
		{"jaeger", backend.KindBasic, map[string]string{"username": "JAEGER_USERNAME", "password": "JAEGER_PASSWORD"}},
		{"grafana", backend.KindOther, nil},
		{"grafana", backend.KindCertificate, nil},
	}
	for _, tt := range tests {
		t.Run(tt.typ+" "+string(tt.kind), func(t *testing.T) {
			s := svc{ref: at("mon", "it"), typ: tt.typ, strength: backend.Strong, day: 1, outcome: backend.AuthRequired, wants: tt.kind}
			got := build(t, inventory.Options{FirstRoundOver: true, TrustedNamespaces: []string{"mon"}}, s)["mon/it"]
			if d := cmp.Diff(tt.want, got.Credentials); d != "" || (got.Verdict == backend.Accepted) != (tt.want != nil) {
				t.Errorf("%s: %s (-want +got)\n%s", got.Verdict, view.Reason(got), d)
			}
		})
	}
}

// What is up and lets nobody through is never published, never the primary, and gets no reference, whatever the configuration
// says of it; with weak evidence it is unconfirmed. Another primary does not wait for it.
func TestRefusedIsNeverPrimary(t *testing.T) {
	t.Attr("req", "DTS-PRB-8 DTS-OUT-4")
	for _, outcome := range []backend.Outcome{backend.Forbidden, backend.ForbiddenByMesh, backend.LoginRequired} {
		t.Run(string(outcome), func(t *testing.T) {
			old, weak := at("mon", "old"), at("mon", "weak")
			fields := map[string]string{"api_key": "KEY"}
			o := inventory.Options{
				FirstRoundOver: true, TrustedNamespaces: []string{"mon"},
				Credentials: map[string]map[backend.Ref]map[string]string{"grafana": {old: fields, weak: fields}},
			}
			got := build(t, o,
				svc{ref: old, typ: "grafana", strength: backend.Strong, day: 1, outcome: outcome, identity: true},
				svc{ref: weak, typ: "grafana", strength: backend.Weak, day: 2, outcome: outcome},
				svc{ref: at("mon", "new"), typ: "grafana", strength: backend.Strong, day: 3, outcome: backend.Ready, identity: true},
			)
			for ref, verdict := range map[string]backend.Verdict{"mon/old": backend.Unavailable, "mon/weak": backend.Unconfirmed} {
				if f := got[ref]; f.Verdict != verdict || f.Primary || f.Credentials != nil {
					t.Errorf("%s is %s, primary %t, credentials %v: %s", ref, f.Verdict, f.Primary, f.Credentials, view.Reason(f))
				}
			}
			if f := got["mon/new"]; !f.Primary || f.Provisional {
				t.Errorf("the working one is primary %t, provisional %t", f.Primary, f.Provisional)
			}
			o.Primary = map[string]backend.Ref{"grafana": old}
			if f := build(t, o, svc{ref: old, typ: "grafana", strength: backend.Strong, day: 1, outcome: outcome})["mon/old"]; f.Primary || f.Credentials != nil {
				t.Errorf("configured as the primary it is: primary %t, credentials %v", f.Primary, f.Credentials)
			}
		})
	}
}
