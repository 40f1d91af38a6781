package cli

import (
	"net"
	"net/http"
	"testing"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// What stands before real products, as people meet it: the verdict, why, and what to do.
func TestFronts(t *testing.T) {
	t.Attr("req", "DTS-PRB-8 DTS-PRB-13")
	basic := standin.Options{Credentials: standin.Credentials{Username: "u", Password: "p"}}
	// Grafana with enforce_domain answers nothing but its health itself.
	enforced := standin.New(standin.Grafana, standin.Options{})
	domain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/health" {
			http.Redirect(w, r, "https://grafana.example.org"+r.URL.RequestURI(), http.StatusMovedPermanently)
			return
		}
		enforced.ServeHTTP(w, r)
	})
	mesh := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "istio-envoy")
		http.Error(w, "RBAC: access denied", http.StatusForbidden)
	})
	tests := []struct {
		name, labels, ip string
		handler          http.Handler
		want             []string
		never            []string
	}{
		{"loki-gateway", "app.kubernetes.io/name: loki, app.kubernetes.io/component: gateway", "127.0.31.1", standin.New(standin.Loki, basic),
			[]string{"unavailable", "a username and a password", "username: LOKI_USERNAME", "password: LOKI_PASSWORD"}, []string{"tenant", "X-Scope"}},
		{"prometheus", strongPrometheus, "127.0.31.2", standin.New(standin.Prometheus, basic),
			[]string{"unavailable", "a username and a password", "basic_auth: PROMETHEUS_BASIC_AUTH", "base64 of USERNAME:PASSWORD"}, []string{"bearer"}},
		{"grafana", strongGrafana, "127.0.31.3", domain,
			[]string{"unavailable", "grafana.example.org", "answers no query", "enforce_domain"}, []string{"check that it runs", " so ready", "custom", "GRAFANA_API_KEY"}},
		{"meshed", strongPrometheus, "127.0.31.4", mesh,
			[]string{"unavailable", "Istio", "authorization policy", "forbidden-by-mesh"}, []string{"custom", "PROMETHEUS_BEARER_TOKEN"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "services.yaml", yamlService("mon", tt.name, tt.labels, tt.ip, listen(t, tt.ip, tt.handler)))
			args := []string{"-f", file, "--probe=direct", "--set", "health.tries=1", "--set", "security.trustedNamespaces=[]"}
			said := flat(mustRun(t, append([]string{"explain", "mon/" + tt.name}, args...)...).out)
			expect(t, said, tt.want...)
			forbid(t, said, tt.never...)
			forbid(t, mustRun(t, append([]string{"generate", "--key", "custom_toolset.yaml"}, args...)...).out, tt.ip, tt.name)
		})
	}
}

// ECK's certificate is not for the longest name of its Service. With its CA given it is published by the name that it is for,
// and HolmesGPT's need of the same CA is told.
func TestElasticsearchOfECK(t *testing.T) {
	t.Attr("req", "DTS-PRB-11")
	const ip = "127.0.31.5"
	s, err := standin.StartTLS(net.JoinHostPort(ip, "9200"), standin.New(standin.Elasticsearch, standin.Options{}),
		"logs-es-http.elastic.es.local", "logs-es-http", "logs-es-http.elastic.svc", "logs-es-http.elastic")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	file := writeFile(t, "services.yaml", `{apiVersion: v1, kind: Service, metadata: {namespace: elastic, name: logs-es-http,
 labels: {common.k8s.elastic.co/type: elasticsearch, elasticsearch.k8s.elastic.co/cluster-name: logs}},
 spec: {clusterIP: `+ip+`, selector: {app: es}, ports: [{name: https, port: 9200}]}}
`)
	args := []string{"-f", file, "--probe=direct", "--set", "health.tries=1", "--set", "tls.caFile=" + writeFile(t, "ca.crt", string(s.CA))}
	r := mustRun(t, append([]string{"generate", "--key", "custom_toolset.yaml"}, args...)...)
	expect(t, r.out, "https://logs-es-http.elastic.svc:9200")
	expect(t, r.err, "REQUESTS_CA_BUNDLE", "elastic/logs-es-http")
	expect(t, mustRun(t, append([]string{"explain", "elastic/logs-es-http"}, args...)...).out, "REQUESTS_CA_BUNDLE")
}
