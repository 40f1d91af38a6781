package standin_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestAnswers holds what the options change, and what stands for a product that nobody can have here. The other answers are
// compared with the products' own in test/real.
func TestAnswers(t *testing.T) {
	t.Attr("req", "DTS-PRB-1 DTS-PRB-2")
	secret := standin.Credentials{Bearer: "t0ken", Username: "admin", Password: "pw", APIKey: "k3y"}
	tests := []struct {
		name   string
		kind   standin.Kind
		opts   standin.Options
		path   string
		header map[string]string
		status int
		body   string
	}{
		{name: "buildinfo", kind: standin.Prometheus, opts: standin.Options{Version: "2.53.1"}, path: "/api/v1/status/buildinfo", status: 200, body: `"version":"2.53.1"`},
		{name: "query without a query", kind: standin.Prometheus, path: "/api/v1/query", status: 400, body: "bad_data"},
		{name: "a longer name is not below the base path", kind: standin.Prometheus, opts: standin.Options{BasePath: "/prom"}, path: "/prometheus/-/ready", status: 404},
		{name: "not ready yet", kind: standin.Prometheus, opts: standin.Options{NotReady: true}, path: "/-/ready", status: 503},
		{name: "not ready yet, but healthy", kind: standin.Prometheus, opts: standin.Options{NotReady: true}, path: "/-/healthy", status: 200},
		{name: "basic", kind: standin.Prometheus, opts: standin.Options{Credentials: secret}, path: "/-/healthy", header: map[string]string{"Authorization": "Basic YWRtaW46cHc="}, status: 200},
		{name: "bearer", kind: standin.Prometheus, opts: standin.Options{Credentials: secret}, path: "/-/healthy", header: map[string]string{"Authorization": "Bearer t0ken"}, status: 200},
		{name: "wrong bearer", kind: standin.Prometheus, opts: standin.Options{Credentials: secret}, path: "/-/healthy", header: map[string]string{"Authorization": "Bearer other"}, status: 401},

		{name: "no series, but a vector of its own", kind: standin.Prometheus, opts: standin.Options{NoData: true}, path: "/api/v1/query?query=vector(1)", status: 200, body: `"1"]`},
		{name: "no series", kind: standin.Prometheus, opts: standin.Options{NoData: true}, path: "/api/v1/query?query=count(up)", status: 200, body: `"result":[]`},
		{name: "an empty loki", kind: standin.Loki, opts: standin.Options{NoData: true}, path: "/loki/api/v1/labels", status: 200, body: `{"status":"success"}`},
		{name: "an empty tempo 1", kind: standin.Tempo, opts: standin.Options{Version: "1.5.0", NoData: true}, path: "/api/search", status: 200, body: `{"metrics":{}}`},
		{name: "thanos not ready", kind: standin.Thanos, opts: standin.Options{NotReady: true}, path: "/-/ready", status: 503, body: "NOT OK"},
		{name: "vmselect", kind: standin.VMSelect, path: "/select/0/prometheus/api/v1/query?query=up", status: 200, body: "vector"},
		{name: "mimir", kind: standin.Mimir, path: "/prometheus/api/v1/status/buildinfo", status: 200, body: `"application":"Grafana Mimir"`},
		{name: "mimir without a tenant", kind: standin.Mimir, opts: standin.Options{Tenant: "a"}, path: "/prometheus/api/v1/labels", status: 401, body: "no org id"},
		{name: "mimir with a tenant", kind: standin.Mimir, opts: standin.Options{Tenant: "a"}, path: "/prometheus/api/v1/labels", header: map[string]string{"X-Scope-OrgID": "a"}, status: 200, body: "__name__"},

		{name: "grafana's health is for all", kind: standin.Grafana, opts: standin.Options{Credentials: secret}, path: "/api/health", status: 200, body: `"database":"ok"`},
		{name: "grafana's search is not", kind: standin.Grafana, opts: standin.Options{Credentials: secret}, path: "/api/search?limit=1", status: 401, body: "auth.unauthorized"},
		{name: "anonymous grafana", kind: standin.Grafana, path: "/api/search?limit=1", status: 200, body: "["},
		{name: "grafana without its database", kind: standin.Grafana, opts: standin.Options{NotReady: true}, path: "/api/health", status: 503, body: `"database":"failing"`},
		{name: "grafana hides its version", kind: standin.Grafana, opts: standin.Options{HideVersion: true}, path: "/api/health", status: 200, body: `{"database":"ok"}`},
		{name: "kibana says little to strangers", kind: standin.Kibana, opts: standin.Options{Credentials: secret}, path: "/api/status", status: 200, body: `{"status":{"overall":{"level":"available"}}}`},
		{name: "kibana says more to others", kind: standin.Kibana, opts: standin.Options{Credentials: secret}, path: "/api/status", header: map[string]string{"Authorization": "ApiKey k3y"}, status: 200, body: `"number":"8.`},
		{name: "kibana starting", kind: standin.Kibana, opts: standin.Options{NotReady: true}, path: "/api/status", status: 503, body: "not ready yet"},

		{name: "elasticsearch refuses", kind: standin.Elasticsearch, opts: standin.Options{Credentials: secret}, path: "/", status: 401, body: "missing authentication credentials for REST request [/]"},
		{name: "elasticsearch with a key", kind: standin.Elasticsearch, opts: standin.Options{Credentials: secret}, path: "/_cluster/health", header: map[string]string{"Authorization": "ApiKey k3y"}, status: 200, body: `"status":"green"`},
		{name: "elasticsearch is red", kind: standin.Elasticsearch, opts: standin.Options{NotReady: true}, path: "/_cluster/health", status: 200, body: `"status":"red"`},

		{name: "tempo", kind: standin.Tempo, path: "/api/echo", status: 200, body: "echo"},
		{name: "zipkin down", kind: standin.Zipkin, opts: standin.Options{NotReady: true}, path: "/health", status: 503, body: `"status":"DOWN"`},

		{name: "custom", kind: standin.Custom, path: "/healthz", status: 200, body: "ok"},
		{name: "anything", kind: standin.Anything, path: "/api/v1/status/buildinfo", status: 200, body: "It works."},
		{name: "redirector", kind: standin.Redirector, opts: standin.Options{RedirectTo: "http://192.0.2.1/"}, path: "/x", status: 302},
	}
	for _, tt := range tests {
		t.Run(string(tt.kind)+" "+tt.name, func(t *testing.T) {
			s := serve(t, standin.New(tt.kind, tt.opts))
			resp, body := get(t, s.URL+tt.path, tt.header)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) {
				t.Errorf("GET %s: %d %q, want %d with %q", tt.path, resp.StatusCode, body, tt.status, tt.body)
			}
		})
	}
}

// TestOnlyItsOwnAPI makes sure that no stand-in passes for another: the requests that identify one type are not answered
// as expected by the rest, but for those known to be alike.
func TestOnlyItsOwnAPI(t *testing.T) {
	t.Attr("req", "DTS-PRB-2")
	identities := []struct {
		path, body string
		want       []standin.Kind
	}{
		{"/api/v1/status/buildinfo", `"status":"success"`, []standin.Kind{
			standin.Prometheus, standin.Thanos, standin.VictoriaMetrics, standin.Mimir, standin.PrometheusAgent, standin.ThanosStore}},
		{"/api/v1/query?query=up", `"resultType":"vector"`, []standin.Kind{standin.Prometheus, standin.Thanos, standin.VictoriaMetrics, standin.PromLabelProxy}},
		{"/api/health", `"database"`, []standin.Kind{standin.Grafana}},
		{"/api/services", `"data":[`, []standin.Kind{standin.Jaeger}},
		{"/", `"tagline":"You Know, for Search"`, []standin.Kind{standin.Elasticsearch}},
		{"/", `"distribution":"opensearch"`, []standin.Kind{standin.OpenSearch}},
		{"/api/v2/status", `"versionInfo"`, []standin.Kind{standin.Alertmanager}},
		{"/loki/api/v1/status/buildinfo", `"version"`, []standin.Kind{standin.Loki, standin.LokiPart}},
		{"/api/echo", "echo", []standin.Kind{standin.Tempo}},
		{"/select/logsql/query?query=*", `"_msg"`, []standin.Kind{standin.VictoriaLogs}},
		{"/health", `"zipkin"`, []standin.Kind{standin.Zipkin}},
		{"/api/status", `"version"`, []standin.Kind{standin.Kibana, standin.OpenSearchDashboards}},
	}
	var kinds []standin.Kind
	servers := map[standin.Kind]string{}
	for _, k := range standin.Kinds() {
		if k != standin.Hanging && k != standin.Redirector {
			kinds = append(kinds, k)
			servers[k] = serve(t, standin.New(k, standin.Options{})).URL
		}
	}
	for _, id := range identities {
		var got []standin.Kind
		for _, k := range kinds {
			resp, body := get(t, servers[k]+id.path, nil)
			if resp.StatusCode == http.StatusOK && strings.Contains(body, id.body) {
				got = append(got, k)
			}
		}
		if diff := cmp.Diff(id.want, got); diff != "" {
			t.Errorf("%s with %s (-want +got):\n%s", id.path, id.body, diff)
		}
	}
}

func TestSetReadyAndRequests(t *testing.T) {
	b := standin.New(standin.Loki, standin.Options{})
	s := serve(t, b)
	for i, ready := range []bool{true, false, true} {
		b.SetReady(ready)
		resp, _ := get(t, s.URL+"/ready?n=1", nil)
		if got := resp.StatusCode == http.StatusOK; got != ready {
			t.Errorf("request %d: ready is %v, want %v", i, got, ready)
		}
	}
	var statuses []int
	for _, r := range b.Requests() {
		if r.Method != http.MethodGet || r.Path != "/ready" || r.Query != "n=1" || r.Host != s.Addr {
			t.Errorf("recorded %+v", r)
		}
		statuses = append(statuses, r.Status)
	}
	if diff := cmp.Diff([]int{200, 503, 200}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

func TestMCPSession(t *testing.T) {
	s := serve(t, standin.New(standin.MCP, standin.Options{}))
	call := func(body string) (int, map[string]any) {
		t.Helper()
		resp, err := http.Post(s.URL+"/mcp", "application/json", strings.NewReader(body))
		must(t, err)
		defer resp.Body.Close()
		var reply map[string]any
		if resp.StatusCode == http.StatusOK {
			must(t, json.NewDecoder(resp.Body).Decode(&reply))
		}
		return resp.StatusCode, reply
	}
	status, reply := call(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}`)
	if result, _ := reply["result"].(map[string]any); status != 200 || result["protocolVersion"] != "2025-06-18" {
		t.Errorf("initialize: %d %v", status, reply)
	}
	if status, _ := call(`{"jsonrpc":"2.0","method":"notifications/initialized"}`); status != http.StatusAccepted {
		t.Errorf("notification: %d, want 202", status)
	}
	status, reply = call(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	if result, _ := reply["result"].(map[string]any); status != 200 || len(result["tools"].([]any)) != 1 {
		t.Errorf("tools/list: %d %v", status, reply)
	}
	if status, _ = call(`no JSON`); status != http.StatusBadRequest {
		t.Errorf("no JSON: %d, want 400", status)
	}
	if resp, _ := get(t, s.URL+"/mcp", nil); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d, want 405", resp.StatusCode)
	}
}

func TestTLS(t *testing.T) {
	s, err := standin.StartTLS("127.0.0.1:0", standin.New(standin.Elasticsearch, standin.Options{}), "es.logging.svc.cluster.local")
	must(t, err)
	defer s.Close()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CA) {
		t.Fatal("no certificate in CA")
	}
	for name, trusted := range map[string]bool{"es.logging.svc.cluster.local": true, "other.logging.svc.cluster.local": false} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: name}}}
		resp, err := client.Get(s.URL)
		if got := err == nil; got != trusted {
			t.Errorf("%s: trusted is %v (%v), want %v", name, got, err, trusted)
		}
		if err == nil {
			resp.Body.Close()
		}
		client.CloseIdleConnections()
	}
}

func TestHangingEndsWithItsServer(t *testing.T) {
	s, err := standin.Start("127.0.0.1:0", standin.New(standin.Hanging, standin.Options{}))
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	must(t, err)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("answered with %d", resp.StatusCode)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestStartSaysWhatIsTaken(t *testing.T) {
	s := serve(t, standin.New(standin.Custom, standin.Options{}))
	if second, err := standin.Start(s.Addr, http.NotFoundHandler()); err == nil {
		second.Close()
		t.Fatalf("two servers at %s", s.Addr)
	} else if !strings.Contains(err.Error(), s.Addr) {
		t.Errorf("error %q does not name the address", err)
	}
}

func serve(t *testing.T, h http.Handler) *standin.Server {
	t.Helper()
	s, err := standin.Start("127.0.0.1:0", h)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func get(t *testing.T, url string, header map[string]string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	// The transport alone: redirects are answers too.
	resp, err := http.DefaultTransport.RoundTrip(req)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp, string(body)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
