//go:build integration

package integration

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// Endpoints are dialled for headless Services, and by the API server's proxy for all.
func TestEndpointsThatAreDialled(t *testing.T) {
	t.Attr("req", "DTS-CLI-1 DTS-PRB-5 DTS-DET-5")
	const first, second, third = "10.244.0.11", "10.244.0.12", "10.244.0.13"
	if !testenv.OwnNetwork(t, first, second, third) {
		return
	}
	env := testenv.Start(t)
	headless := bridged(t, env, testenv.Service{
		Namespace: "monitoring", Name: "prometheus-headless", Labels: named("prometheus"), Port: "web", Number: 80, Target: 9090,
		Headless: true, Address: first, Kind: standin.Prometheus,
	})
	bridged(t, env, testenv.Service{
		Namespace: "monitoring", Name: "loki", Labels: named("loki"), Port: "http-metrics", Number: 3100,
		Address: second, Kind: standin.Loki,
	})
	bridged(t, env, testenv.Service{
		Namespace: "tracing", Name: "jaeger-query", Labels: named("jaeger"), Port: "http-query", Number: 80, Target: 16686,
		Address: third, Kind: standin.Jaeger, Options: standin.Options{BasePath: "/jaeger"},
	})

	t.Run("headless", func(t *testing.T) {
		got, _ := discover(t, env, env.Kubeconfig(), "-n", "monitoring", "--probe=direct")
		s := got["monitoring/prometheus-headless"]
		want := "http://" + headless.DNS() + ":9090"
		if s.Verdict != "accepted" || s.Endpoint != want || s.Metadata["probe"] != "ready" {
			t.Errorf("got %+v, want it ready at %s", s, want)
		}
	})
	t.Run("through the API server", func(t *testing.T) {
		got, _ := discover(t, env, env.Kubeconfig(), "--all", "--probe=proxy")
		for name, endpoint := range map[string]string{
			"monitoring/loki":      "http://loki.monitoring.svc.cluster.local:3100",
			"tracing/jaeger-query": "http://jaeger-query.tracing.svc.cluster.local:80/jaeger",
		} {
			if s := got[name]; s.Verdict != "accepted" || s.Endpoint != endpoint || s.Metadata["probe"] != "ready" {
				t.Errorf("%s: got %+v, want it ready at %s", name, s, endpoint)
			}
		}
	})
	t.Run("through the API server without permission", func(t *testing.T) {
		user := env.ServiceAccount(t, "tracing", "reader")
		env.Grant(t, "tracing", "tracing", "reader", testenv.Rule("", "services", "list"), testenv.Rule("discovery.k8s.io", "endpointslices", "list"))
		r := env.Run(t, user, "explain", "tracing/jaeger-query", "-n", "tracing", "--probe=proxy", "--set", "health.tries=1")
		if r.Code != 0 || !strings.Contains(r.Stdout, "needs get on services/proxy in namespace tracing") {
			t.Errorf("exit %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		env.Grant(t, testenv.OutputNamespace, "tracing", "reader", testenv.Rule("", "configmaps", "get")) // diff compares with it
		const check = "kubectl auth can-i get services --subresource=proxy -n tracing"
		for command, code := range map[string]int{"discover": 1, "generate": 1, "diff": 2} {
			r := env.Run(t, user, command, "-n", "tracing", "--probe=proxy")
			if r.Code != code || r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, check) {
				t.Errorf("%s: exit %d\n%s%s", command, r.Code, r.Stdout, r.Stderr)
			}
		}
		env.Grant(t, "tracing", "tracing", "reader", testenv.Rule("", "services", "list"), testenv.Rule("", "services/proxy", "get"),
			testenv.Rule("discovery.k8s.io", "endpointslices", "list"))
		asked := append(strings.Fields(check)[1:], "--as=system:serviceaccount:tracing:reader")
		if out := env.Kubectl(t, "", asked...); strings.TrimSpace(out) != "yes" { // its "no" would end the test
			t.Errorf("%s: %s", check, out)
		}
		if got, _ := discover(t, env, user, "-n", "tracing", "--probe=proxy"); got["tracing/jaeger-query"].Metadata["probe"] != "ready" {
			t.Errorf("with the right: %+v", got)
		}
	})
}
