package probe

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// If build information is missing or forbidden, an answered query proves only the API.
func TestProofByAQuery(t *testing.T) {
	t.Attr("req", "DTS-PRB-9")
	proxy := standin.New(standin.PromLabelProxy, standin.Options{})
	refusing := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/api/v1/query") {
				proxy.ServeHTTP(w, r)
				return
			}
			reply{status: status, body: body}.write(w)
		})
	}
	below := func(base string) http.Handler {
		return standin.New(standin.PromLabelProxy, standin.Options{BasePath: base})
	}
	fixed := func(c *backend.Candidate) { c.Path, c.FixedPath = "/workspaces/ws-1", true }
	tests := []struct {
		name    string
		handler http.Handler
		change  func(*backend.Candidate)
		path    string
	}{
		{"missing", proxy, nil, ""},
		{"forbidden", refusing(403, "RBAC"), nil, ""},
		{"requires credentials", refusing(401, ""), nil, ""},
		{"below a known base path", below("/prometheus"), nil, "/prometheus"},
		{"below an annotated one", below("/workspaces/ws-1"), fixed, "/workspaces/ws-1"},
	}
	p := newProber(t, Options{})
	for _, typ := range []string{"prometheus", "thanos", "victoriametrics", "mimir"} {
		for _, tt := range tests {
			t.Run(tt.name+" as "+typ, func(t *testing.T) {
				target := serve(t, lookupType(t, typ), tt.handler)
				if tt.change != nil {
					tt.change(target.Candidate)
				}
				got := p.Probe(t.Context(), target)
				want := observed{Outcome: backend.Ready, Identity: true, Scheme: "http", Path: tt.path}
				if typ != "prometheus" {
					want.Type = "prometheus"
				}
				expect(t, got, want)
				if !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "nothing more is known") }) {
					t.Errorf("warnings %q", got.Warnings)
				}
			})
		}
	}
	t.Run("what answers something else is something else", func(t *testing.T) {
		for _, h := range []http.Handler{refusing(200, "hello"), refusing(500, ""), standin.New(standin.ThanosStore, standin.Options{}),
			standin.New(standin.PrometheusAgent, standin.Options{})} {
			if got := p.Probe(t.Context(), serve(t, lookupType(t, "prometheus"), h)); got.Outcome == backend.Ready || got.Identity {
				t.Errorf("%s: %s", got.Outcome, said(got))
			}
		}
	})
}

// An error in the product's own form proves its type: it is down, but no other product.
func TestOutagesAreNoOtherIdentity(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-PRB-3")
	away := standin.Options{NoIngesters: true}
	refusal := `{"status":"error","errorType":"bad_data","error":"The \"namespace\" query parameter must be provided."}`
	tests := []struct {
		name, typ, detail string
		handler           http.Handler
	}{
		{"Cortex without ingesters", "mimir", "empty ring", standin.New(standin.Cortex, away)},
		{"Cortex without ingesters as prometheus", "prometheus", "empty ring", standin.New(standin.Cortex, away)},
		{"Mimir without ingesters", "mimir", "empty ring", standin.New(standin.Mimir, away)},
		{"a proxy that wants a parameter", "prometheus", "query param", answers{"/api/v1/query": {status: 400, body: refusal}}},
		{"Jaeger without its storage", "jaeger", "storage is not available", standin.New(standin.Jaeger, standin.Options{NotReady: true})},
		{"Elasticsearch without a master", "elasticsearch", "master_not_discovered", answers{
			"/": {status: 503, body: `{"version":{"number":"8.1.0"},"tagline":"You Know, for Search"}`},
			"*": {status: 503, body: `{"error":{"type":"master_not_discovered_exception"},"status":503}`},
		}},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, tt.typ), tt.handler))
			expect(t, got, observed{
				Outcome: backend.NotReady, Identity: true, Scheme: "http", Path: got.Path, Version: got.Version, Type: got.Type, Detail: tt.detail,
			})
		})
	}
}

// A warning about a backend does not change its outcome.
func TestWarnings(t *testing.T) {
	t.Attr("req", "DTS-PRB-12")
	empty := standin.Options{NoData: true}
	tests := []struct {
		name   string
		kind   standin.Kind
		opts   standin.Options
		says   string // "" for no warning
		noData bool
	}{
		{"no series", standin.Prometheus, empty, "no series", true},
		{"no series", standin.Thanos, empty, "no series", true},
		{"no series", standin.VictoriaMetrics, empty, "no series", true},
		{"no series", standin.Mimir, empty, "no series", true},
		{"some", standin.Prometheus, standin.Options{}, "", false},
		{"some", standin.VictoriaMetrics, standin.Options{}, "", false},
		{"version 1", standin.Tempo, standin.Options{Version: "1.5.0"}, "/api/v2 of Tempo 2", false},
		{"its kin", standin.OpenSearchDashboards, standin.Options{}, "it is OpenSearch Dashboards", false},
		{"itself", standin.Kibana, standin.Options{}, "", false},
		{"version 2", standin.Tempo, standin.Options{}, "", false},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(string(tt.kind)+", "+tt.name, func(t *testing.T) {
			typ := string(tt.kind)
			if tt.kind == standin.OpenSearchDashboards {
				typ = "kibana"
			}
			got := p.Probe(t.Context(), serve(t, lookupType(t, typ), standin.New(tt.kind, tt.opts)))
			if got.Outcome != backend.Ready || got.NoData != tt.noData {
				t.Errorf("%s, no data %t: %s", got.Outcome, got.NoData, said(got))
			}
			if said := strings.Join(got.Warnings, "; "); (said == "") != (tt.says == "") || !strings.Contains(said, tt.says) {
				t.Errorf("warnings %q, want %q", said, tt.says)
			}
		})
	}
}

// A red search cluster answers in part. It is not published for the first time, but a published one is not withdrawn.
func TestRedClusterIsDegraded(t *testing.T) {
	t.Attr("req", "DTS-PRB-1")
	p := newProber(t, Options{})
	for _, kind := range []standin.Kind{standin.Elasticsearch, standin.OpenSearch} {
		got := p.Probe(t.Context(), serve(t, lookupType(t, string(kind)), standin.New(kind, standin.Options{NotReady: true})))
		if got.Outcome != backend.NotReady || got.Degraded == "" || !strings.Contains(said(got), got.Degraded) || !strings.Contains(got.Degraded, "red") || len(got.Warnings) > 0 {
			t.Errorf("%s: %s, degraded %q, %q: %s", kind, got.Outcome, got.Degraded, got.Warnings, said(got))
		}
	}
	lost := answers{
		"/":                {body: `{"version":{"number":"8.1.0"},"tagline":"You Know, for Search"}`},
		"/_cluster/health": {body: `{"status":"red"}`},
		"*":                {status: 503, body: `{"error":"all shards failed"}`},
	}
	got := p.Probe(t.Context(), serve(t, lookupType(t, "elasticsearch"), lost))
	if got.Outcome != backend.NotReady || got.Degraded != "" {
		t.Errorf("one that answers no search: %s, degraded %q: %s", got.Outcome, got.Degraded, said(got))
	}
}

// A version is the product's version, not the name of a build.
func TestVersions(t *testing.T) {
	t.Attr("req", "DTS-PRB-2")
	p := newProber(t, Options{})
	for kind, want := range map[standin.Kind]string{
		standin.VictoriaMetrics: "1.148.0", standin.VMSelect: "1.148.0", standin.VictoriaLogs: "1.148.0", standin.Thanos: "1.148.0",
		standin.Jaeger: "1.148.0", standin.Mimir: "1.148.0",
	} {
		typ := string(kind)
		if kind == standin.VMSelect {
			typ = "victoriametrics"
		}
		got := p.Probe(t.Context(), serve(t, lookupType(t, typ), standin.New(kind, standin.Options{Version: "1.148.0"})))
		if got.Version != want {
			t.Errorf("%s: version %q, want %q", kind, got.Version, want)
		}
	}
}
