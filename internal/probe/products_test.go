package probe

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

const (
	buildinfo = `{"status":"success","data":{"version":"2.53.1","revision":"r","branch":"b","buildUser":"u","buildDate":"d","goVersion":"go1.22"}}`
	vector    = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1790000000,"1"]}]}}`
	labels    = `{"status":"success","data":["__name__","job"]}`
	jaegerUI  = `<!doctype html><html><head><title>Jaeger UI</title><script>const JAEGER_VERSION = {"gitCommit":"c","gitVersion":"v1.62.0","buildDate":"d"};</script></head></html>`
)

var (
	unsupported = answers{"*": {status: 400, body: "unsupported path requested"}}
	noTenant    = reply{status: 401, body: "no org id\n"}
	catCount    = reply{body: `[{"epoch":"1790000000","timestamp":"13:33:20","count":"42"}]`}
	// As Kibana answers a search of dashboards.
	savedObjects = reply{body: `{"page":1,"per_page":1,"total":0,"saved_objects":[]}`}
)

// product holds the responses of a product, from its documentation, its source or a run of it.
type product struct {
	name    string
	answers answers
	// is the type it is; "" for software that is none of ours.
	is      string
	version string
	path    string
}

// products holds real products, and relatives that must not be taken for them.
var products = []product{
	{"prometheus", answers{
		"/-/healthy": {body: "Prometheus Server is Healthy.\n"}, "/-/ready": {body: "Prometheus Server is Ready.\n"},
		"/api/v1/status/buildinfo": {body: buildinfo}, "/api/v1/query": {body: vector}, "/api/v1/labels": {body: labels},
		"/api/v1/status/flags": {body: `{"status":"success","data":{"web.listen-address":"0.0.0.0:9090"}}`},
	}, "prometheus", "2.53.1", ""},
	{"prometheus agent", answers{
		"/-/healthy": {body: "Prometheus Agent is Healthy.\n"}, "/-/ready": {body: "Prometheus Agent is Ready.\n"},
		"/api/v1/status/buildinfo": {body: buildinfo},
		"/api/v1/query":            {status: 422, body: `{"status":"error","errorType":"execution","error":"unavailable with Prometheus Agent"}`},
	}, "", "", ""},
	{"pushgateway", answers{
		"/-/healthy": {body: "OK"}, "/-/ready": {body: "OK"},
		"/api/v1/status": {body: `{"status":"success","data":{"build_information":{"version":"1.5.1"}}}`},
	}, "", "", ""},
	{"thanos query", answers{
		"/-/healthy": {body: "OK"}, "/-/ready": {body: "OK"},
		"/api/v1/status/buildinfo": {body: strings.Replace(buildinfo, "2.53.1", "0.35.0", 1)},
		"/api/v1/status/flags":     {body: `{"status":"success","data":{"http-address":"0.0.0.0:10902","query.timeout":"2m"}}`},
		"/api/v1/stores":           {body: `{"status":"success","data":{"sidecar":[]}}`},
		"/api/v1/query":            {body: vector}, "/api/v1/labels": {body: labels},
	}, "thanos", "0.35.0", ""},
	{"thanos store", answers{
		"/-/healthy": {body: "OK"}, "/-/ready": {body: "OK"},
		"/api/v1/status/buildinfo": {body: strings.Replace(buildinfo, "2.53.1", "0.35.0", 1)},
		"/api/v1/status/flags":     {body: `{"status":"success","data":{"http-address":"0.0.0.0:10902"}}`},
		"/api/v1/blocks":           {body: `{"status":"success","data":{"label":"","blocks":[],"refreshedAt":"x"}}`},
	}, "", "", ""},
	{"thanos ruler", answers{
		"/-/healthy": {body: "OK"}, "/-/ready": {body: "OK"},
		"/api/v1/status/buildinfo": {body: strings.Replace(buildinfo, "2.53.1", "0.35.0", 1)},
		"/api/v1/status/flags":     {body: `{"status":"success","data":{"http-address":"0.0.0.0:10902","eval-interval":"30s"}}`},
	}, "", "", ""},
	{"victoriametrics single", unsupported.with(answers{
		"/health": {body: "OK"}, "/-/healthy": {body: "VictoriaMetrics is Healthy.\n"}, "/-/ready": {body: "VictoriaMetrics is Ready.\n"},
		"/": {body: "<h2>Single-node VictoriaMetrics</h2>"}, "/api/v1/status/buildinfo": {body: `{"status":"success","data":{"version":"2.24.0"}}`},
		"/prometheus/api/v1/status/buildinfo": {body: `{"status":"success","data":{"version":"2.24.0"}}`},
		"/prometheus/api/v1/labels":           {body: labels}, "/prometheus/api/v1/query": {body: vector},
		"/api/v1/query": {body: vector}, "/api/v1/labels": {body: labels},
	}), "victoriametrics", "", ""},
	{"vmselect", unsupported.with(answers{
		"/health": {body: "OK"}, "/-/healthy": {body: "VictoriaMetrics is Healthy.\n"}, "/-/ready": {body: "VictoriaMetrics is Ready.\n"},
		"/select/0/prometheus/api/v1/status/buildinfo": {body: `{"status":"success","data":{"version":"2.24.0"}}`},
		"/select/0/prometheus/api/v1/query":            {body: vector},
	}), "victoriametrics", "", "/select/0/prometheus"},
	{"vmagent", unsupported.with(answers{
		"/health": {body: "OK"}, "/-/healthy": {body: "VictoriaMetrics is Healthy.\n"}, "/-/ready": {body: "VictoriaMetrics is Ready.\n"},
	}), "", "", ""},
	{"mimir", answers{
		"/ready": {body: "ready\n"}, "/api/v1/status/buildinfo": {body: mimirInfo}, "/prometheus/api/v1/status/buildinfo": {body: mimirInfo},
		"/prometheus/api/v1/labels": {body: labels}, "/prometheus/api/v1/query": {body: vector},
	}, "mimir", "2.15.0", "/prometheus"},
	{"grafana", answers{
		"/api/health": {body: `{"commit":"c","database":"ok","version":"11.2.0"}`}, "/api/search": {body: "[]"},
		"/login": {body: "<title>Grafana</title>"}, "*": {status: 302, header: map[string]string{"Location": "/login"}},
	}, "grafana", "11.2.0", ""},
	{"loki", answers{
		"/ready": {body: "ready\n"}, "/loki/api/v1/status/buildinfo": {body: `{"version":"2.9.7","revision":"r","branch":"HEAD"}`},
		"/loki/api/v1/labels": {body: labels},
	}, "loki", "2.9.7", ""},
	{"tempo", answers{
		"/ready": {body: "ready\n"}, "/api/echo": {body: "echo"}, "/api/status/buildinfo": {body: `{"version":"2.6.0","revision":"r"}`},
		"/api/search": {body: `{"traces":[],"metrics":{}}`},
	}, "tempo", "2.6.0", ""},
	{"jaeger", answers{
		"/api/services": {body: `{"data":["frontend"],"total":1,"limit":0,"offset":0,"errors":null}`}, "*": {body: jaegerUI},
	}, "jaeger", "1.62.0", ""},
	{"jaeger without services", answers{
		"/api/services": {body: `{"data":null,"total":0,"limit":0,"offset":0,"errors":null}`}, "*": {body: jaegerUI},
	}, "jaeger", "1.62.0", ""},
	{"zipkin", answers{
		"/health": {body: `{"status":"UP","zipkin":{"status":"UP","details":{"InMemoryStorage{}":{"status":"UP"}}}}`},
		"/info":   {body: `{"zipkin":{"version":"2.24.3","commit":"c"}}`}, "/api/v2/services": {body: `["a"]`},
	}, "zipkin", "2.24.3", ""},
	{"spring boot application", answers{"/health": {body: `{"status":"UP"}`}, "/info": {body: "{}"}}, "", "", ""},
	{"elasticsearch", answers{
		"/":                {body: `{"name":"n","cluster_name":"c","version":{"number":"8.12.2"},"tagline":"You Know, for Search"}`, header: map[string]string{"X-Elastic-Product": "Elasticsearch"}},
		"/_cluster/health": {body: `{"cluster_name":"c","status":"yellow"}`}, "/_cat/count": catCount,
	}, "elasticsearch", "8.12.2", ""},
	{"opensearch", answers{
		"/":                {body: `{"name":"n","version":{"distribution":"opensearch","number":"2.11.0"},"tagline":"The OpenSearch Project: https://opensearch.org/"}`},
		"/_cluster/health": {body: `{"cluster_name":"c","status":"green"}`}, "/_cat/count": catCount,
	}, "opensearch", "2.11.0", ""},
	{"opensearch in compatibility mode", answers{
		"/":                {body: `{"name":"n","version":{"number":"7.10.2"},"tagline":"The OpenSearch Project: https://opensearch.org/"}`},
		"/_cluster/health": {body: `{"cluster_name":"c","status":"green"}`}, "/_cat/count": catCount,
	}, "opensearch", "7.10.2", ""},
	{"kibana", answers{
		"/api/status": {body: `{"name":"k","version":{"number":"8.12.2"},"status":{"overall":{"level":"available"},"core":{}}}`}, "/api/saved_objects/_find": savedObjects,
	}, "kibana", "8.12.2", ""},
	{"kibana that shows strangers little", answers{
		"/api/status": {body: `{"status":{"overall":{"level":"available"}}}`}, "/api/saved_objects/_find": savedObjects,
	}, "kibana", "", ""},
	{"opensearch dashboards", answers{
		"/api/status":              {body: `{"name":"d","version":{"number":"2.11.0"},"status":{"overall":{"state":"green"}}}`, header: map[string]string{"osd-name": "d"}},
		"/api/saved_objects/_find": {body: `{"page":1,"saved_objects":[]}`},
	}, "kibana", "2.11.0", ""},
	{"alertmanager", answers{
		"/-/healthy": {body: "OK"}, "/-/ready": {body: "OK"},
		"/api/v2/status": {body: `{"cluster":{"peers":[],"status":"disabled"},"config":{"original":""},"uptime":"x","versionInfo":{"version":"0.25.0"}}`}, "/api/v2/alerts": {body: "[]"},
	}, "alertmanager", "0.25.0", ""},
	{"victorialogs", unsupported.with(answers{
		"/health": {body: "OK"}, "/-/healthy": {body: "VictoriaMetrics is Healthy.\n"},
		"/":                          {body: "<h2>Single-node VictoriaLogs</h2></br>Version victoria-logs-20250101-v1.4.0<br>"},
		"/select/logsql/field_names": {body: `{"values":[{"value":"_msg","hits":"12"}]}`},
		"/select/logsql/query":       {header: map[string]string{"Content-Type": "application/stream+json"}},
	}), "victorialogs", "1.4.0", ""},
	{"vlinsert", unsupported.with(answers{"/health": {body: "OK"}}), "", "", ""},
}

const mimirInfo = `{"status":"success","data":{"application":"Grafana Mimir","version":"2.15.0","revision":"r","features":{}}}`

// Each product is recognised as its own type, also if probed as a relative, and as no other type of the catalog.
func TestProducts(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-DET-2")
	p := newProber(t, Options{})
	all := builtin(t)
	types := all.Types
	if len(types) != 14 {
		t.Errorf("%d built-in types, want 14", len(types))
	}
	for _, product := range products {
		t.Run(product.name, func(t *testing.T) {
			at := serve(t, nil, product.answers)
			for _, typ := range types {
				target := at
				c := *at.Candidate
				c.Type = typ.Type
				target.Candidate, target.Type = &c, typ
				got := p.Probe(t.Context(), target)
				if own := all.Lookup(product.is); own != nil && typ.Relative(product.is) != nil {
					want := observed{
						Outcome: backend.Ready, Identity: true, Scheme: "http", Path: product.path, Version: product.version, Detail: own.Title,
					}
					if typ.Type != product.is {
						want.Type = product.is
					}
					expect(t, got, want)
					continue
				}
				if got.Outcome != backend.WrongIdentity || got.Identity {
					t.Errorf("passes for %s: %s, identity %t: %s", typ.Type, got.Outcome, got.Identity, said(got))
				}
			}
		})
	}
}

// The smallest response that a backend of each type must give, by the documentation of the type.
func TestLeastAnswers(t *testing.T) {
	t.Attr("req", "DTS-PRB-1 DTS-PRB-2")
	plain := `{"status":"success","data":{"version":"2.53.1"}}`
	ownBuild := `{"version":"","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":"go1.26.0"}` // without the linker's flags
	tests := []struct {
		typ     string
		answers answers
		version string
		path    string
	}{
		{"prometheus", answers{"/-/healthy": {body: "ok"}, "/-/ready": {body: "ok"}, "/api/v1/status/buildinfo": {body: plain}, "/api/v1/query": {body: vector}}, "2.53.1", ""},
		{"thanos", answers{"/-/ready": {body: "OK"}, "/api/v1/status/buildinfo": {body: plain}, "/api/v1/query": {body: vector}}, "2.53.1", ""},
		{"victoriametrics", answers{"/health": {body: "OK"}, "/api/v1/status/buildinfo": {body: plain}, "/api/v1/query": {body: vector}}, "", ""},
		{"mimir", answers{"/prometheus/api/v1/status/buildinfo": {body: mimirInfo}, "/prometheus/api/v1/query": {body: vector}}, "2.15.0", "/prometheus"},
		{"mimir", answers{"/": {body: "<title>Cortex</title>"}, "/api/prom/api/v1/query": {body: vector}}, "", "/api/prom"},
		{"grafana", answers{"/api/health": {body: `{"database":"ok"}`}, "/api/search": {body: "[]"}}, "", ""},
		{"loki", answers{"/ready": {body: "ready"}, "/loki/api/v1/status/buildinfo": {body: `{"version":"3.0.0"}`}, "/loki/api/v1/labels": {body: `{"status":"success"}`}}, "3.0.0", ""},
		{"loki", answers{"/loki/api/v1/status/buildinfo": {body: ownBuild}, "/loki/api/v1/labels": {body: `{"status":"success"}`}}, "", ""},
		{"tempo", answers{"/ready": {body: "ready"}, "/api/echo": {body: "echo"}, "/api/search": {body: `{"metrics":{}}`}}, "", ""},
		{"jaeger", answers{"/api/services": {body: `{"data":[]}`}}, "", ""},
		{"zipkin", answers{"/health": {body: `{"status":"UP"}`}, "/api/v2/services": {body: "[]"}}, "", ""},
		{"elasticsearch", answers{"/": {body: `{"version":{"number":"8.1.0"},"tagline":"You Know, for Search"}`}, "/_cluster/health": {body: `{"status":"green"}`}, "/_cat/count": catCount}, "8.1.0", ""},
		{"opensearch", answers{"/": {body: `{"version":{"number":"2.1.0","distribution":"opensearch"}}`}, "/_cluster/health": {body: `{"status":"green"}`}, "/_cat/count": catCount}, "2.1.0", ""},
		{"kibana", answers{"/api/status": {body: `{"status":{"overall":{"level":"available"}}}`}, "/api/saved_objects/_find": savedObjects}, "", ""},
		{"alertmanager", answers{"/api/v2/status": {body: `{"versionInfo":{"version":"0.27.0"}}`}, "/api/v2/alerts": {body: "[]"}}, "0.27.0", ""},
		{"alertmanager", answers{"/api/v2/status": {body: `{"cluster":{"status":"disabled"},"uptime":"2026-10-01T08:00:00Z","versionInfo":` + ownBuild + `}`}, "/api/v2/alerts": {body: "[]"}}, "", ""},
		{"victorialogs", answers{"/health": {body: "OK"}, "/select/logsql/query": {body: `{"_msg":"m","_time":"t"}`}}, "", ""},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.typ, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, tt.typ), tt.answers))
			expect(t, got, observed{Outcome: backend.Ready, Identity: true, Scheme: "http", Path: tt.path, Version: tt.version})
		})
	}
}

// A server that sends the same response with 200 to each request is no backend.
func TestSameAnswerToEverything(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-DET-4")
	p := newProber(t, Options{})
	for _, body := range []string{"", "OK", "ok\n", "{}", "[]", "null", "<html><title>Shop</title></html>", `{"status":"UP"}`, `{"status":"success"}`,
		`{"status":"ok"}`, `{"data":{}}`, "Prometheus Server is Healthy.\n"} {
		at := serve(t, nil, answers{"*": {body: body}})
		for _, typ := range builtin(t).Types {
			target := at
			target.Type = typ
			if got := p.Probe(t.Context(), target); got.Outcome != backend.WrongIdentity || got.Identity {
				t.Errorf("%q to everything passes for %s: %s, identity %t: %s", body, typ.Type, got.Outcome, got.Identity, said(got))
			}
		}
	}
}
