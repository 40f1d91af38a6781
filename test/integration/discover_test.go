//go:build integration

package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// observability is a small cluster with what people have, and some of what is taken for it.
func observability(t *testing.T, env *testenv.Env) map[string]*testenv.Backend {
	t.Helper()
	backends := map[string]*testenv.Backend{}
	for _, s := range []testenv.Service{
		{Namespace: "monitoring", Name: "prometheus-server", Labels: named("prometheus"), Port: "http", Number: 80, Target: 9090, Kind: standin.Prometheus},
		{
			Namespace: "monitoring", Name: "sub-path", Labels: named("prometheus"), Port: "http", Number: 9090,
			Kind: standin.Prometheus, Options: standin.Options{BasePath: "/prometheus"},
		},
		{
			Namespace: "monitoring", Name: "grafana", Labels: named("grafana"), Port: "service", Number: 80, Target: 3000,
			Kind: standin.Grafana, Options: standin.Options{Credentials: standin.Credentials{Bearer: "secret"}},
		},
		{Namespace: "monitoring", Name: "pushgateway", Labels: named("prometheus-pushgateway"), Port: "http", Number: 9091, Kind: standin.Pushgateway},
		{Namespace: "monitoring", Name: "starting", Labels: named("loki"), Port: "http-metrics", Number: 3100, Kind: standin.Loki, NotReady: true},
		{Namespace: "tracing", Name: "jaeger-query", Labels: named("jaeger"), Port: "http-query", Number: 16686, Kind: standin.Jaeger},
		{Namespace: "logging", Name: "elasticsearch-master", Labels: named("elasticsearch"), Port: "http", Number: 9200, Kind: standin.Elasticsearch},
		{Namespace: "logging", Name: "prometheus", Port: "web", Number: 9090, Labels: map[string]string{"app": "prometheus"}, Kind: standin.Anything},
		{Namespace: "shop", Name: "dead", Labels: named("grafana"), Port: "http", Number: 3000},
		{
			Namespace: "shop", Name: "kept-out", Labels: named("prometheus"), Port: "http", Number: 9090, Kind: standin.Prometheus,
			Annotations: map[string]string{"kubernaut.io/toolset": "disabled"},
		},
		{
			Namespace: "shop", Name: "runbooks", Port: "http", Number: 8080, Kind: standin.Custom,
			Annotations: map[string]string{
				"kubernaut.io/toolset": "enabled", "kubernaut.io/toolset-type": "custom", "kubernaut.io/toolset-health-endpoint": "/healthz",
			},
		},
		{Namespace: "shop", Name: "orders", Labels: named("orders"), Port: "http", Number: 80, Target: 8080},
	} {
		backends[s.Namespace+"/"+s.Name] = env.Create(t, s)
	}
	return backends
}

func TestDiscover(t *testing.T) {
	t.Attr("req", "DTS-CLI-1 DTS-CLI-2 DTS-CLI-4 DTS-DET-3 DTS-DET-5 DTS-PRB-2 DTS-PRB-3 DTS-PRB-4 DTS-PRB-5")
	env := testenv.Start(t)
	backends := observability(t, env)

	t.Run("probed", func(t *testing.T) {
		all, _ := discover(t, env, env.Kubeconfig(), "--all", "--probe=direct")
		type outcome struct{ Type, Verdict, Endpoint, Probe string }
		got := map[string]outcome{}
		for name, s := range all {
			got[name] = outcome{s.Type, s.Verdict, s.Endpoint, s.Metadata["probe"]}
		}
		want := map[string]outcome{
			"monitoring/prometheus-server": {"prometheus", "accepted", backends["monitoring/prometheus-server"].URL(), "ready"},
			"monitoring/sub-path":          {"prometheus", "accepted", backends["monitoring/sub-path"].URL() + "/prometheus", "ready"},
			"monitoring/grafana":           {"grafana", "unavailable", backends["monitoring/grafana"].URL(), "auth-required"},
			"monitoring/pushgateway":       {"prometheus", "rejected", "", ""},
			"monitoring/starting":          {"loki", "unavailable", backends["monitoring/starting"].URL(), "no-endpoints"},
			"tracing/jaeger-query":         {"jaeger", "accepted", backends["tracing/jaeger-query"].URL(), "ready"},
			"logging/elasticsearch-master": {"elasticsearch", "accepted", backends["logging/elasticsearch-master"].URL(), "ready"},
			"logging/prometheus":           {"prometheus", "rejected", backends["logging/prometheus"].URL(), "wrong-identity"},
			"shop/dead":                    {"grafana", "unavailable", backends["shop/dead"].URL(), "unreachable"},
			"shop/kept-out":                {"", "rejected", "", ""},
			"shop/runbooks":                {"custom", "accepted", backends["shop/runbooks"].URL(), "ready"},
			"shop/orders":                  {"", "rejected", "", ""},
			"default/kubernetes":           {"", "rejected", "", ""},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		prometheus := all["monitoring/prometheus-server"]
		if prometheus.Metadata["version"] == "" || prometheus.Healthy == nil || !*prometheus.Healthy || !prometheus.Primary {
			t.Errorf("the oldest Prometheus is primary, healthy and has a version: %+v", prometheus)
		}
		b := backends["monitoring/prometheus-server"]
		for _, r := range b.Standin.Requests() {
			if host, _, _ := strings.Cut(r.Host, ":"); host != b.DNS() {
				t.Errorf("asked for %s with Host %s, want %s", r.Path, r.Host, b.DNS())
			}
		}
		if n := len(backends["monitoring/starting"].Standin.Requests()); n > 0 {
			t.Errorf("a backend without ready endpoints was asked %d times", n)
		}
	})

	t.Run("not probed outside a pod", func(t *testing.T) {
		before := len(backends["monitoring/prometheus-server"].Standin.Requests())
		got, r := discover(t, env, env.Kubeconfig())
		if strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, "not probed") {
			t.Errorf("one line should say that nothing was probed: %q", r.Stderr)
		}
		if after := len(backends["monitoring/prometheus-server"].Standin.Requests()); after != before {
			t.Errorf("it was asked %d times", after-before)
		}
		want := []string{
			"logging/elasticsearch-master", "logging/prometheus", "monitoring/grafana", "monitoring/prometheus-server",
			"monitoring/sub-path", "shop/dead", "shop/runbooks", "tracing/jaeger-query", // "starting" has no ready endpoint
		}
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(got))); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})

	t.Run("explain", func(t *testing.T) {
		for name, want := range map[string][]string{
			"monitoring/prometheus-server": {"accepted as prometheus", "GET", "buildinfo", "ready"},
			"monitoring/pushgateway":       {"rejected", "pushgateway"},
			"logging/prometheus":           {"rejected", "buildinfo", "wrong-identity"},
			"shop/dead":                    {"unavailable", "refused"},
			"shop/kept-out":                {"rejected", "kubernaut.io/toolset"},
		} {
			r := env.Run(t, env.Kubeconfig(), "explain", name, "--probe=direct")
			if r.Code != 0 {
				t.Errorf("explain %s: exit %d: %s", name, r.Code, r.Stderr)
			}
			if wrong := amiss(r.Stdout, want...); len(wrong) > 0 {
				t.Errorf("explain %s does not say %q:\n%s", name, wrong, r.Stdout)
			}
		}
		r := env.Run(t, env.Kubeconfig(), "explain", "monitoring/promethius-server", "--probe=off")
		if r.Code != 1 || !strings.Contains(r.Stderr, "did you mean monitoring/prometheus-server?") {
			t.Errorf("explain of a misspelt name: exit %d: %s", r.Code, r.Stderr)
		}
	})

	t.Run("stopped server", func(t *testing.T) {
		env.APIServer.Kill(t)
		r := env.Run(t, env.Kubeconfig(), "discover")
		env.APIServer.Start(t)
		if r.Code != 1 || r.Stdout != "" || strings.Count(r.Stderr, "\n") > 2 || !strings.Contains(r.Stderr, "connection refused") {
			t.Errorf("exit %d, stdout %q, stderr %q", r.Code, r.Stdout, r.Stderr)
		}
	})
}
