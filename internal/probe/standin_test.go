package probe

import (
	"cmp"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// The stand-ins follow the software, not the catalog. Each is recognised as its own type, also if probed as a relative, and as no
// other type.
func TestStandins(t *testing.T) {
	t.Attr("req", "DTS-PRB-2")
	own := map[standin.Kind]string{
		standin.VMSelect: "victoriametrics", standin.Cortex: "mimir", standin.PromLabelProxy: "prometheus",
		standin.OpenSearchDashboards: "kibana",
	}
	paths := map[standin.Kind]string{
		standin.VMSelect: "/select/0/prometheus", standin.Mimir: "/prometheus", standin.Cortex: "/prometheus",
	}
	p := newProber(t, Options{Timeout: 5 * time.Second})
	types := builtin(t).Types
	for _, kind := range standin.Kinds() {
		if kind == standin.Hanging { // see TestUnreachable
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			at := serve(t, nil, standin.New(kind, standin.Options{RedirectTo: "http://127.0.0.1:1"}))
			for _, typ := range types {
				target := at
				target.Type = typ
				got := p.Probe(t.Context(), target)
				is := cmp.Or(own[kind], string(kind))
				switch {
				case typ.Type == is:
					expect(t, got, observed{Outcome: backend.Ready, Identity: true, Scheme: "http", Path: paths[kind], Version: got.Version})
				case typ.Relative(is) != nil:
					expect(t, got, observed{
						Outcome: backend.Ready, Identity: true, Scheme: "http", Path: paths[kind], Version: got.Version, Type: is,
					})
				case got.Identity || got.Outcome != backend.WrongIdentity:
					t.Errorf("passes for %s: %s, identity %t: %s", typ.Type, got.Outcome, got.Identity, said(got))
				}
			}
		})
	}
}

// A 401 shows that a backend requires credentials. It proves no type.
func TestStandinsThatWantCredentials(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-PRB-3")
	basic := standin.Options{Credentials: standin.Credentials{Username: "u", Password: "p"}}
	tenant := standin.Options{Tenant: "a"}
	proven := map[standin.Kind]bool{ // identity can be asked without credentials
		standin.Grafana: true, standin.Mimir: true, standin.Loki: true, standin.Tempo: true,
		standin.Kibana: true, // to strangers it tells its state and nothing else
	}
	p := newProber(t, Options{})
	for kind, opts := range map[standin.Kind]standin.Options{
		standin.Prometheus: basic, standin.Thanos: basic, standin.VictoriaMetrics: basic, standin.Grafana: basic,
		standin.Elasticsearch: basic, standin.OpenSearch: basic, standin.Kibana: basic, standin.Jaeger: basic,
		standin.Alertmanager: basic, standin.Zipkin: basic, standin.VictoriaLogs: basic,
		standin.Mimir: tenant, standin.Loki: tenant, standin.Tempo: tenant,
	} {
		t.Run(string(kind), func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, string(kind)), standin.New(kind, opts)))
			want := observed{Outcome: backend.AuthRequired, Identity: proven[kind], Scheme: "http", Version: got.Version, Path: got.Path}
			expect(t, got, want)
		})
	}
}
