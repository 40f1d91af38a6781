package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestProbeProxy goes through an API server's service proxy to backends of every kind of outcome.
func TestProbeProxy(t *testing.T) {
	t.Attr("req", "DTS-CLI-1 DTS-PRB-3")
	own := func(reason metav1.StatusReason, code int32, message string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			new(apiServer).fail(w, &metav1.Status{Reason: reason, Code: code, Message: message})
		})
	}
	forbidden := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "go away", http.StatusForbidden) }
	prometheus := map[string]string{"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "server"}
	tests := []struct {
		name    string
		service corev1.Service
		at      string // where the proxy leads
		backend http.Handler
		want    []string // parts of its line
	}{
		{"works", serviceObject("works", "prometheus", prometheus, "10.0.0.1", port("http", 80, 9090)), "prometheus:80",
			standin.New(standin.Prometheus, standin.Options{Version: "3.5.0"}), []string{"accepted", "ready", "3.5.0"}},
		{"base path", serviceObject("base", "prometheus", prometheus, "10.0.0.2", port("http", 80, 9090)), "prometheus:80",
			standin.New(standin.Prometheus, standin.Options{BasePath: "/metrics-of-all"}), []string{"accepted", "http://prometheus.base.svc.cluster.local:80/metrics-of-all"}},
		{"https", serviceObject("tls", "prometheus", prometheus, "10.0.0.3", port("https", 443, 9090)), "https:prometheus:443",
			standin.New(standin.Prometheus, standin.Options{}), []string{"accepted", "https://prometheus.tls.svc.cluster.local:443"}},
		{"the backend forbids", serviceObject("theirs", "prometheus", prometheus, "10.0.0.4", port("http", 80, 9090)), "prometheus:80",
			http.HandlerFunc(forbidden), []string{"forbidden", "refuses"}},
		{"the API server forbids", serviceObject("ours", "prometheus", prometheus, "10.0.0.5", port("http", 80, 9090)), "prometheus:80",
			own(metav1.StatusReasonForbidden, 403, `services "prometheus:80" is forbidden: User "dev" cannot get resource "services/proxy" in API group "" in the namespace "ours"`),
			[]string{"unavailable", "unreachable (forbidden)", "needs get on services/proxy in namespace ours"}},
		{"the backend is an API server and forbids", serviceObject("nested", "prometheus", prometheus, "10.0.0.11", port("http", 80, 9090)), "prometheus:80",
			own(metav1.StatusReasonForbidden, 403, `forbidden: User "system:anonymous" cannot get path "/api/v1/status/buildinfo"`),
			[]string{"auth-required", "requires credentials"}},
		{"the token has expired", serviceObject("expired", "prometheus", prometheus, "10.0.0.6", port("http", 80, 9090)), "prometheus:80",
			own(metav1.StatusReasonUnauthorized, 401, "Unauthorized"), []string{"unavailable", "does not accept your credentials"}},
		{"no endpoints", serviceObject("empty", "prometheus", prometheus, "10.0.0.7", port("http", 80, 9090)), "other",
			http.NotFoundHandler(), []string{"unavailable", "no ready endpoint is behind the Service"}},
		{"refused", serviceObject("refused", "prometheus", prometheus, "10.0.0.8", port("http", 80, 9090)), "prometheus:80",
			own(metav1.StatusReasonServiceUnavailable, 503, "error trying to reach service: dial tcp 10.0.0.8:9090: connect: connection refused"),
			[]string{"unavailable", "unreachable (refused)"}},
		{"timeout", serviceObject("timeout", "prometheus", prometheus, "10.0.0.9", port("http", 80, 9090)), "prometheus:80",
			own(metav1.StatusReasonServiceUnavailable, 503, "error trying to reach service: dial tcp 10.0.0.9:9090: i/o timeout"),
			[]string{"unavailable", "unreachable (timeout)"}},
		{"its own 503", serviceObject("starting", "prometheus", prometheus, "10.0.0.10", port("http", 80, 9090)), "prometheus:80",
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "starting", http.StatusServiceUnavailable) }), []string{"unavailable", "not-ready"}},
	}
	api := &apiServer{backends: map[string]http.Handler{}}
	for _, tt := range tests {
		api.services = append(api.services, tt.service)
		api.backends[tt.service.Namespace+"/"+tt.at] = tt.backend
	}
	api.slices = readySlices(api.services...)
	_, kubeconfig := api.start(t)
	r := mustRun(t, "discover", "--all", "--probe=proxy", "--kubeconfig", kubeconfig, "--set", "health.tries=1")
	for _, tt := range tests {
		expect(t, lineWith(r.out, " "+tt.service.Namespace+" "), tt.want...)
	}
	if want := "warning: 1 of 11 possible backends could not be probed: your user needs get on services/proxy in namespace ours; " +
		"check with: kubectl auth can-i get services --subresource=proxy -n ours\n"; r.err != want {
		t.Errorf("stderr: %s, want %s", r.err, want)
	}
	for _, path := range api.asked() {
		if strings.Contains(path, "//") {
			t.Errorf("base path and path are badly joined: asked for %s", path)
		}
	}
}

// TestProbeProxyStaysBelow has a backend redirect out of its part of the API, to what is before an API server or behind it.
func TestProbeProxyStaysBelow(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-PRB-5")
	api := &apiServer{backends: map[string]http.Handler{}}
	for i, to := range []string{"/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/secrets", "/..%2f..%2f..%2f..%2f..%2f..%2fsecrets", "/x/%2e%2e/%2e%2e/secrets", "/%2e%2e",
		"/%252e%252e/%252e%252e/secrets", "/..;/..;/secrets", "/..%5c..%5csecrets"} {
		namespace := fmt.Sprintf("evil-%d", i)
		api.services = append(api.services, serviceObject(namespace, "x", named("grafana"), fmt.Sprintf("10.0.0.%d", i+1), port("http", 80, 3000)))
		api.backends[namespace+"/x:80"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://x."+namespace+".svc.cluster.local:80"+to)
			w.WriteHeader(http.StatusFound)
		})
	}
	api.slices = readySlices(api.services...)
	_, kubeconfig := api.start(t)
	mustRun(t, "discover", "--all", "--probe=proxy", "--kubeconfig", kubeconfig, "--set", "health.tries=1")
	asked := 0
	for _, path := range api.asked() {
		asked += strings.Count(path, "/proxy/")
		out := strings.Contains(path, "..") || strings.ContainsAny(path, `%;\`)
		if out || strings.Contains(path, "secrets") && !strings.Contains(path, "/proxy/") {
			t.Errorf("asked for %s", path)
		}
	}
	if asked < 4 {
		t.Errorf("%d requests, which prove nothing", asked)
	}
}

// TestProbeProxyForbidden: where the user may ask no backend, what would be shown is about the user's rights and not about the
// cluster, so that nothing is. Only explain answers, since that is its answer.
func TestProbeProxyForbidden(t *testing.T) {
	t.Attr("req", "DTS-CLI-1 DTS-CLI-5")
	api := &apiServer{
		services: []corev1.Service{
			serviceObject("b", "grafana", named("grafana"), "10.0.0.1", port("", 80, 3000)),
			serviceObject("a", "team-prometheus", nil, "10.0.0.2", port("", 80, 8080)),  // weak evidence
			serviceObject("c", "loki", named("loki"), "10.0.0.3", port("", 3100, 3100)), // without endpoints
		},
		data:   map[string]string{"custom_toolset.yaml": "toolsets: {}\n"},
		refuse: forbids("/proxy/", true),
	}
	api.slices = readySlices(api.services[:2]...)
	api.slices = append(api.slices, readySlices(api.services[2])...)
	api.slices[2].Endpoints = nil
	_, kubeconfig := api.start(t)
	args := []string{"--probe=proxy", "--kubeconfig", kubeconfig}
	const message = "error: --probe=proxy: your user may probe none of the possible backends through the API server (403): it needs get on services/proxy in " +
		"namespaces a, b, or send no probes with --probe=off; check with: kubectl auth can-i get services --subresource=proxy -n a\n"
	for command, code := range map[string]int{"discover": 1, "generate": 1, "diff": 2} {
		if got, want := run(t, append([]string{command}, args...)...), (result{code, "", message}); got != want {
			t.Errorf("%s: got %+v, want %+v", command, got, want)
		}
	}
	for name, verdict := range map[string]string{"b/grafana": "unavailable", "a/team-prometheus": "unconfirmed"} {
		namespace, _, _ := strings.Cut(name, "/")
		r := mustRun(t, append([]string{"explain", name}, args...)...)
		expect(t, flat(r.out), verdict, "unreachable", "needs get on services/proxy in namespace "+namespace,
			"kubectl auth can-i get services --subresource=proxy -n "+namespace)
		forbid(t, r.out, "toolset-port=PORT")
	}
}

// TestProbeAuto: outside a cluster nothing is probed, and one line says so.
func TestProbeAuto(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	api := &apiServer{services: []corev1.Service{serviceObject("m", "grafana", named("grafana"), "10.0.0.1", port("", 80, 3000))}}
	_, kubeconfig := api.start(t)
	r := mustRun(t, "discover", "--kubeconfig", kubeconfig)
	if n := strings.Count(r.err, "\n"); n != 1 || !strings.HasPrefix(r.err, "not probed: ") || !strings.Contains(r.err, "--probe=proxy") {
		t.Errorf("stderr: %s", r.err)
	}
	if !strings.Contains(r.out, "grafana.m.svc") || strings.Contains(r.out, "HEALTH") {
		t.Errorf("stdout: %s", r.out)
	}
	if r := mustRun(t, "discover", "--kubeconfig", kubeconfig, "--probe=off"); r.err != "" {
		t.Errorf("--probe=off was asked for, and is told: %s", r.err)
	}
}
