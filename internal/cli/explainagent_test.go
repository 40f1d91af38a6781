package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// holmesAnswers is a HolmesGPT that has a document, and cannot use one of its two Grafanas.
func holmesAnswers(t *testing.T) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/api/info" || r.URL.RawQuery != "detail=full" {
			t.Errorf("an explanation sends %s %s", r.Method, r.URL)
		}
		_, _ = fmt.Fprint(w, `{"version": "0.45.0", "toolsets": [
			{"name": "generation/1", "enabled": false, "status": "disabled"},
			{"name": "grafana/dashboards", "enabled": true, "status": "enabled", "error": "[other/grafana] ; failed: [monitoring/grafana] 401 Unauthorized", "tool_count": 9}]}`)
	})
}

func explainedAPI() *apiServer {
	holmes := serviceObject("kubernaut-system", "x-holmes", map[string]string{"app": "holmes"}, "10.0.0.9", port("http", 80, 5050))
	holmes.Spec.Selector = map[string]string{"app": "holmes"}
	api := &apiServer{
		services: []corev1.Service{serviceObject("monitoring", "grafana", named("grafana"), "10.0.0.1", port("service", 80, 3000)), holmes},
		data: map[string]string{"custom_toolset.yaml": "toolsets:\n  generation/1: {enabled: false}\n  grafana/dashboards: " +
			"{enabled: true, config: {instances: [{name: other/grafana}, {name: monitoring/grafana}]}}\n"},
	}
	api.slices = readySlices(api.services...)
	return api
}

// TestExplainAgent says what HolmesGPT made of a Service, through the API server, where it is forwarded, and why where it says nothing.
func TestExplainAgent(t *testing.T) {
	t.Attr("req", "DTS-CLI-4 DTS-RUN-7")
	forwarded := httptest.NewServer(holmesAnswers(t))
	defer forwarded.Close()
	key := writeFile(t, "key", "s3cret")
	locked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"detail": "not with %s"}`, r.Header.Get("X-API-Key"))
	})
	const fails = "cannot use it: 401 Unauthorized"
	imitating := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "message": "error trying to reach service: \u001b[2J%s"}`, r.Header.Get("X-API-Key"))
	})
	tests := []struct {
		name  string
		args  []string
		agent http.Handler // behind the service proxy
		want  []string
	}{
		{"through the API server", []string{"--probe=proxy"}, holmesAnswers(t), []string{"What HolmesGPT reports", "x-holmes.kubernaut-system.svc:80 " + fails, "contains the right credential"}},
		{"forwarded", []string{"--set", "holmesgpt.url=" + forwarded.URL}, nil, []string{fails}},
		{"without a probe", nil, holmesAnswers(t), []string{"x-holmes.kubernaut-system.svc:80 " + fails}},
		{"away", []string{"--probe=proxy"}, nil, []string{"does not answer: no ready endpoint is behind the Service"}},
		{"locked", []string{"--probe=proxy", "--set", "holmesgpt.apiKeyFile=" + key}, locked, []string{"requires an API key", "apiKeyFile"}},
		{"like an API server", []string{"--probe=proxy", "--set", "holmesgpt.apiKeyFile=" + key}, imitating, []string{"could not reach it", "[key]"}},
		{"another namespace", []string{"--probe=proxy", "-n", "monitoring"}, holmesAnswers(t), []string{"x-holmes.kubernaut-system.svc:80 " + fails}},
		{"none", []string{"--probe=proxy", "--set", "output.namespace=other"}, nil, []string{"no HolmesGPT was found in namespace other"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			api := explainedAPI()
			api.backends = map[string]http.Handler{"monitoring/grafana:80": standin.New(standin.Grafana, standin.Options{})}
			if tt.agent != nil {
				api.backends["kubernaut-system/x-holmes:80"] = tt.agent
			}
			_, kubeconfig := api.start(t)
			r := mustRun(t, append([]string{"explain", "monitoring/grafana", "--kubeconfig", kubeconfig}, tt.args...)...)
			expect(t, flat(r.out), tt.want...)
			forbid(t, r.out, "s3cret", "\x1b")
		})
	}

	api := explainedAPI()
	api.backends = map[string]http.Handler{"kubernaut-system/x-holmes:80": holmesAnswers(t), "monitoring/grafana:80": standin.New(standin.Grafana, standin.Options{})}
	_, kubeconfig := api.start(t)
	var got view.Explanation
	r := mustRun(t, "explain", "monitoring/grafana", "--kubeconfig", kubeconfig, "--probe=proxy", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	if a := got.Services[0].Agent; len(a) != 1 || a[0].Status != "failed" || a[0].Error != "401 Unauthorized" {
		t.Errorf("as JSON: %+v", a)
	}
	if r := mustRun(t, "explain", "monitoring/grafana", "--kubeconfig", kubeconfig, "--set", "holmesgpt.service=off"); strings.Contains(r.out, "HolmesGPT made of it") {
		t.Errorf("off: %s", r.out)
	}
}

// TestExplainAgentForbidden says so where the API server does not let the user ask HolmesGPT.
func TestExplainAgentForbidden(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	api := explainedAPI()
	api.backends = map[string]http.Handler{"monitoring/grafana:80": standin.New(standin.Grafana, standin.Options{})}
	api.refuse = forbids("x-holmes:80/proxy/", true)
	_, kubeconfig := api.start(t)
	r := mustRun(t, "explain", "monitoring/grafana", "--kubeconfig", kubeconfig, "--probe=proxy")
	expect(t, flat(r.out), "your user needs get on services/proxy in namespace kubernaut-system")
}
