package probe

import (
	"net/http"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// broken is a stand-in with another reply at one path.
func broken(kind standin.Kind, path string, answer reply) http.Handler {
	b := standin.New(kind, standin.Options{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			answer.write(w)
			return
		}
		b.ServeHTTP(w, r)
	})
}

// A backend that reports itself healthy but answers no query is not ready, and its response is quoted.
func TestQueryDecides(t *testing.T) {
	t.Attr("req", "DTS-PRB-13")
	const query, search = "/api/v1/query", "/api/search"
	failed := func(status int, text string) reply {
		return reply{status: status, body: `{"status":"error","errorType":"execution","error":"` + text + `"}`}
	}
	moved := func(to string) reply { return reply{status: 302, header: map[string]string{"Location": to}} }
	tests := []struct {
		name   string
		kind   standin.Kind
		path   string
		answer reply
		detail string
	}{
		{"an empty ring", standin.Loki, "/loki/api/v1/labels", reply{status: 500, body: "too many unhealthy instances in the ring\n"}, "too many unhealthy instances"},
		{"searches fail", standin.Tempo, search, reply{status: 500, body: "error finding generators\n"}, "finding generators"},
		{"no stores", standin.Thanos, query, failed(422, "no StoreAPIs matched for this query"), "no StoreAPIs matched"},
		{"the query API fails", standin.Prometheus, query, reply{status: 500, body: "storage"}, `500 Internal Server Error, "storage"`},
		{"no query API", standin.Prometheus, query, reply{status: 404, body: "404 page not found\n"}, "404 page not found"},
		{"no GET", standin.Prometheus, query, reply{status: 405, body: "Method Not Allowed\n"}, "405"},
		{"an error of its own", standin.Prometheus, query, failed(422, "no memory"), "no memory"},
		{"a page", standin.Prometheus, query, reply{body: "<html><title>Prometheus</title></html>"}, `a web page titled "Prometheus"`},
		{"another host", standin.Prometheus, query, moved("https://metrics.example.org/api/v1/query?query=x"), "metrics.example.org"},
		{"another page here", standin.Prometheus, query, moved("/maintenance"), "/api/v1/query leads to /maintenance, which answers 404"},
		{"no search", standin.Grafana, search, reply{status: 404, body: `{"message":"Not found"}`}, "Not found"},
		{"too many searches", standin.Grafana, search, reply{status: 429}, "429"},
		{"an error", standin.Grafana, search, reply{status: 500, body: `{"message":"Search failed"}`}, "Search failed"},
		{"a bad gateway", standin.Grafana, search, reply{status: 502}, "502"},
		{"overload", standin.Grafana, search, reply{status: 503}, "503"},
		{"another host for searches", standin.Grafana, search, moved("https://grafana.example.org/api/search?limit=1"), "grafana.example.org"},
		// Others of the same kind.
		{"the other shape", standin.Prometheus, query, reply{body: `{"status":"success"}`}, "no data.result"},
		{"an error with 200", standin.Prometheus, query, reply{body: `{"status":"error","data":{"result":[]}}`}, "status"},
		{"no labels", standin.Mimir, "/prometheus/api/v1/query", failed(503, "empty ring"), "empty ring"},
		{"no count", standin.Elasticsearch, "/_cat/count", reply{status: 503, body: `{"error":"all shards failed"}`}, "all shards failed"},
		{"no alerts", standin.Alertmanager, "/api/v2/alerts", reply{status: 500}, "500"},
		{"no services", standin.Zipkin, "/api/v2/services", reply{status: 500}, "500"},
		{"no saved objects", standin.Kibana, "/api/saved_objects/_find", reply{status: 503}, "503"},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(string(tt.kind)+" "+tt.name, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, string(tt.kind)), broken(tt.kind, tt.path, tt.answer)))
			expect(t, got, observed{
				Outcome: backend.NotReady, Identity: true, Scheme: "http", Path: got.Path, Version: got.Version, Detail: tt.detail,
			})
		})
	}
}

// Each type has a query check that expects more than a status.
func TestEachTypeHasAQuery(t *testing.T) {
	t.Attr("req", "DTS-PRB-13")
	for _, typ := range builtin(t).Types {
		if typ.Probe.Query == nil {
			t.Errorf("%s has none", typ.Type)
		}
	}
}
