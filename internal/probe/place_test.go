package probe

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// Software below an unusual base path names that path itself: in the page that it sends for each request, in a redirect of its
// root, or in an error.
func TestBasePathsThatNameThemselves(t *testing.T) {
	t.Attr("req", "DTS-PRB-2")
	at := func(base string) standin.Options { return standin.Options{BasePath: base} }
	grafana := answers{
		"/g/in/api/health": {body: `{"database":"ok","version":"11.2.0"}`}, "/g/in/api/search": {body: "[]"},
		"*": {status: 404, body: `<html><head><base href="/g/in/" /><title>Grafana</title></head>`, header: map[string]string{"Content-Type": "text/html"}},
	}
	tests := []struct {
		name, typ, path string
		handler         http.Handler
	}{
		{"a page for everything", "jaeger", "/tracing/ui", standin.New(standin.Jaeger, at("/tracing/ui"))},
		{"OpenTelemetry's demonstration", "jaeger", "/jaeger/ui", standin.New(standin.Jaeger, at("/jaeger/ui"))},
		{"a page with 404", "grafana", "/g/in", grafana},
		{"the root leads there", "prometheus", "/mon/prom", standin.New(standin.Prometheus, at("/mon/prom"))},
		{"the root leads there", "alertmanager", "/am", standin.New(standin.Alertmanager, at("/am"))},
		{"the root leads to a page", "thanos", "/q/x", standin.New(standin.Thanos, at("/q/x"))},
		{"what is refused", "victoriametrics", "/vm", standin.New(standin.VictoriaMetrics, at("/vm"))},
		{"what is refused, of a cluster", "victoriametrics", "/vm/select/0/prometheus", standin.New(standin.VMSelect, at("/vm"))},
		{"what is refused", "victorialogs", "/vl", standin.New(standin.VictoriaLogs, at("/vl"))},
		{"what a relative refuses", "prometheus", "/vm", standin.New(standin.VictoriaMetrics, at("/vm"))},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.typ+", "+tt.name, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, tt.typ), tt.handler))
			expect(t, got, observed{
				Outcome: backend.Ready, Identity: true, Scheme: "http", Path: tt.path, Version: got.Version, Type: got.Type,
			})
			if len(got.Requests) > maxRequests {
				t.Errorf("%d requests", len(got.Requests))
			}
		})
	}
}

// Strangers choose the text of a response. It is used only as a path, and only if it is one.
func TestHostileBasePaths(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-ANN-2")
	p := newProber(t, Options{})
	for _, href := range []string{
		"/{{ env.TOKEN }}/", "/${TOKEN}/", "//other.example/", "https://other.example/x/../../etc/", "/a b/", "/\x1b[31m/", "javascript:alert(1)",
		"/" + strings.Repeat("x", 200) + "/", "/%7b%7benv.TOKEN%7d%7d/", "/x?y=/z", "../../", "/x'/", `/x\/`, "/ü/",
	} {
		t.Run(href, func(t *testing.T) {
			hosts := map[string]bool{}
			page := `<html><head><base target=_top href="` + href + `"></head>`
			refusal := `missing -http.pathPrefix="` + href + `" in the requested path "/"`
			for typ, body := range map[string]string{"jaeger": page, "grafana": page, "victoriametrics": refusal, "victorialogs": refusal} {
				target := serve(t, lookupType(t, typ), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					hosts[strings.Split(r.Host, ":")[0]] = true
					w.Header().Set("Content-Type", "text/html")
					reply{status: 400, body: body}.write(w)
				}))
				got := p.Probe(t.Context(), target)
				harmless(t, got)
				if got.Outcome != backend.WrongIdentity || got.Path != "" || len(got.Requests) > maxRequests {
					t.Errorf("%s: %s at %q after %d requests", typ, got.Outcome, got.Path, len(got.Requests))
				}
				for _, r := range got.Requests {
					if strings.ContainsAny(r.URL, "{}$\x1b '") || strings.Contains(r.URL, "..") {
						t.Errorf("%s: asked for %s", typ, r.URL)
					}
				}
			}
			if len(hosts) != 1 || !hosts[testHost] {
				t.Errorf("asked %v", hosts)
			}
		})
	}
}

// Some products keep their health paths at the root, others move all paths below the base path.
func TestHealthIsAtEitherPlace(t *testing.T) {
	t.Attr("req", "DTS-PRB-1")
	p := newProber(t, Options{})
	fixed := func(path string) func(*backend.Candidate) {
		return func(c *backend.Candidate) { c.Path, c.FixedPath = path, true }
	}
	tests := []struct {
		name, typ string
		kind      standin.Kind
		opts      standin.Options
		change    func(*backend.Candidate)
		outcome   backend.Outcome
		path      string
	}{
		{"Thanos, found", "thanos", standin.Thanos, standin.Options{BasePath: "/thanos"}, nil, backend.Ready, "/thanos"},
		{"Thanos, annotated", "thanos", standin.Thanos, standin.Options{BasePath: "/thanos"}, fixed("/thanos"), backend.Ready, "/thanos"},
		{"Thanos, not ready", "thanos", standin.Thanos, standin.Options{BasePath: "/thanos", NotReady: true}, nil, backend.NotReady, "/thanos"},
		{"Prometheus", "prometheus", standin.Prometheus, standin.Options{BasePath: "/p"}, nil, backend.Ready, "/p"},
		{"VictoriaMetrics, annotated", "victoriametrics", standin.VictoriaMetrics, standin.Options{BasePath: "/vm"}, fixed("/vm"), backend.Ready, "/vm"},
		{"VictoriaMetrics as prometheus, annotated", "prometheus", standin.VictoriaMetrics, standin.Options{BasePath: "/vm"}, fixed("/vm"), backend.Ready, "/vm"},
		{"VictoriaLogs, annotated", "victorialogs", standin.VictoriaLogs, standin.Options{BasePath: "/vl"}, fixed("/vl"), backend.Ready, "/vl"},
		{"vmselect", "victoriametrics", standin.VMSelect, standin.Options{}, nil, backend.Ready, "/select/0/prometheus"},
		{"Mimir", "mimir", standin.Mimir, standin.Options{}, nil, backend.Ready, "/prometheus"},
		{"Mimir, not ready", "mimir", standin.Mimir, standin.Options{NotReady: true}, nil, backend.NotReady, "/prometheus"},
		{"Loki, annotated", "loki", standin.Loki, standin.Options{BasePath: "/lk"}, fixed("/lk"), backend.Ready, "/lk"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := serve(t, lookupType(t, tt.typ), standin.New(tt.kind, tt.opts))
			if tt.change != nil {
				tt.change(target.Candidate)
			}
			got := p.Probe(t.Context(), target)
			expect(t, got, observed{
				Outcome: tt.outcome, Identity: true, Scheme: "http", Path: tt.path, Version: got.Version, Type: got.Type,
			})
		})
	}
}

// A gateway may pass on the API alone, and a mesh may allow nothing else. The queries decide then.
func TestFrontsThatPassOnlyTheAPI(t *testing.T) {
	t.Attr("req", "DTS-PRB-13 DTS-PRB-2")
	mesh := reply{status: http.StatusForbidden, body: "RBAC: access denied", header: map[string]string{"Server": "istio-envoy"}}
	only := func(api string, rest reply, kind standin.Kind, base string) http.Handler {
		b := standin.New(kind, standin.Options{BasePath: base})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, api) {
				rest.write(w)
				return
			}
			b.ServeHTTP(w, r)
		})
	}
	p := newProber(t, Options{})
	for _, tt := range []struct {
		kind      standin.Kind
		api, path string
		types     []string // for which it is probed; the first is its own
		base      string
	}{
		{standin.Prometheus, "/api/", "", []string{"prometheus", "victoriametrics"}, ""},
		{standin.Thanos, "/api/", "", []string{"thanos", "prometheus", "victoriametrics"}, ""},
		{standin.VictoriaMetrics, "/api/", "", []string{"victoriametrics", "prometheus", "thanos"}, ""},
		{standin.VMSelect, "/select/", "/select/0/prometheus", []string{"victoriametrics"}, ""},
		{standin.Mimir, "/prometheus/", "/prometheus", []string{"mimir", "prometheus"}, ""},
		{standin.VictoriaLogs, "/select/", "", []string{"victorialogs"}, ""},
		{standin.Loki, "/loki/", "", []string{"loki"}, ""},
		{standin.Tempo, "/api/", "", []string{"tempo"}, ""},
		{standin.Jaeger, "/api/", "", []string{"jaeger"}, ""},
		{standin.Grafana, "/api/", "", []string{"grafana"}, ""},
		{standin.Alertmanager, "/api/", "", []string{"alertmanager"}, ""},
		{standin.Kibana, "/api/", "", []string{"kibana"}, ""},
		{standin.Prometheus, "/prometheus/api/", "/prometheus", []string{"prometheus"}, "/prometheus"},
		{standin.VictoriaMetrics, "/prometheus/api/", "/prometheus", []string{"victoriametrics", "prometheus"}, "/prometheus"},
	} {
		for name, rest := range map[string]reply{"404": {status: http.StatusNotFound}, "a mesh": mesh} {
			for _, typ := range tt.types {
				t.Run(string(tt.kind)+" as "+typ+", "+name, func(t *testing.T) {
					got := p.Probe(t.Context(), serve(t, lookupType(t, typ), only(tt.api, rest, tt.kind, tt.base)))
					want := observed{Outcome: backend.Ready, Identity: true, Scheme: "http", Path: tt.path, Version: got.Version}
					if typ != tt.types[0] {
						want.Type = tt.types[0]
					}
					expect(t, got, want)
				})
			}
		}
	}
	for _, kind := range []standin.Kind{standin.PrometheusAgent, standin.VMAgent, standin.ThanosStore, standin.Pushgateway} {
		for _, typ := range []string{"prometheus", "thanos", "victoriametrics", "mimir"} {
			got := p.Probe(t.Context(), serve(t, lookupType(t, typ), only("/api/", reply{status: http.StatusNotFound}, kind, "")))
			if got.Outcome.Up() {
				t.Errorf("%s as %s: %s: %s", kind, typ, got.Outcome, said(got))
			}
		}
	}
}

// Parts of a program that answer no queries are distinguished from those that do, whatever their labels say.
func TestPartsThatTakeNoQueries(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-DET-4")
	part := func(kind standin.Kind, without ...string) http.Handler {
		b := standin.New(kind, standin.Options{})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if slices.ContainsFunc(without, func(p string) bool { return strings.Contains(r.URL.Path, p) }) {
				http.NotFound(w, r)
				return
			}
			b.ServeHTTP(w, r)
		})
	}
	tests := []struct {
		name, typ, because string
		handler            http.Handler
	}{
		{"a distributor of Loki", "loki", "takes no queries", standin.New(standin.LokiPart, standin.Options{})},
		{"Thanos Store", "thanos", "takes no queries", standin.New(standin.ThanosStore, standin.Options{})},
		{"Thanos Store as prometheus", "prometheus", "takes no queries", standin.New(standin.ThanosStore, standin.Options{})},
		{"Thanos Store below a prefix", "thanos", "takes no queries", standin.New(standin.ThanosStore, standin.Options{BasePath: "/store"})},
		{"an ingester of Mimir", "mimir", "take no queries", part(standin.Mimir, "/prometheus/")},
		{"an ingester of Mimir as prometheus", "prometheus", "take no queries", part(standin.Mimir, "/prometheus/")},
		{"a compactor of Cortex", "mimir", "", part(standin.Cortex, "/api/v1/query", "/api/v1/labels")},
		{"an ingester of Tempo", "tempo", "", part(standin.Tempo, "/api/")},
		{"vmagent", "victoriametrics", "", standin.New(standin.VMAgent, standin.Options{})},
		{"vlinsert", "victorialogs", "", part(standin.VictoriaLogs, "/select/")},
		{"a collector of Jaeger", "jaeger", "", part(standin.Jaeger, "/api/")},
		{"a Zipkin that only collects", "zipkin", "takes no queries", part(standin.Zipkin, "/api/v2/services")},
		{"an agent", "prometheus", "agent mode", standin.New(standin.PrometheusAgent, standin.Options{})},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, tt.typ), tt.handler))
			if got.Outcome != backend.WrongIdentity || got.Identity {
				t.Errorf("%s, identity %t: %s", got.Outcome, got.Identity, said(got))
			}
			if !strings.Contains(said(got), tt.because) {
				t.Errorf("the reason does not say %q: %s", tt.because, said(got))
			}
		})
	}
}
