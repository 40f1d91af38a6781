//go:build holmes

package holmes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

const component = "app.kubernetes.io/component"

// oneOfEach is a cluster with every type of the catalog.
func oneOfEach() []service {
	return []service{
		{namespace: "monitoring", name: "prometheus", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.Prometheus},
		{namespace: "monitoring", name: "thanos-query", labels: app("thanos", component, "query"), port: "http", target: 10902, kind: standin.Thanos},
		{namespace: "monitoring", name: "vmsingle-main", labels: app("vmsingle"), port: "http", target: 8428, kind: standin.VictoriaMetrics},
		{namespace: "monitoring", name: "mimir-gateway", labels: app("mimir", component, "gateway"), port: "http-metrics", target: 8080, kind: standin.Mimir},
		{namespace: "monitoring", name: "grafana", labels: app("grafana"), port: "service", target: 3000, kind: standin.Grafana},
		{namespace: "logging", name: "loki-gateway", labels: app("loki", component, "gateway"), port: "http", target: 3100, kind: standin.Loki},
		{namespace: "logging", name: "vlsingle-main", labels: app("vlsingle"), port: "http", target: 9428, kind: standin.VictoriaLogs},
		{namespace: "logging", name: "elasticsearch", labels: map[string]string{"chart": "elasticsearch", "app": "elasticsearch-master"}, port: "http", target: 9200, kind: standin.Elasticsearch},
		{namespace: "logging", name: "opensearch", labels: app("opensearch"), port: "http", target: 9200, kind: standin.OpenSearch},
		{namespace: "logging", name: "kibana", labels: app("kibana"), port: "http", target: 5601, kind: standin.Kibana},
		{namespace: "tracing", name: "jaeger-query", labels: app("jaeger", component, "query"), port: "http-query", target: 16686, kind: standin.Jaeger},
		{namespace: "tracing", name: "tempo", labels: app("tempo"), port: "tempo-prom-metrics", target: 3200, kind: standin.Tempo},
		{namespace: "tracing", name: "zipkin", labels: app("zipkin"), port: "http-query", target: 9411, kind: standin.Zipkin},
		{namespace: "monitoring", name: "alertmanager", labels: app("alertmanager"), port: "http-web", target: 9093, kind: standin.Alertmanager},
	}
}

// TestGenerate runs the built binary against stand-ins and has the real HolmesGPT load what it prints, unchanged.
func TestGenerate(t *testing.T) {
	t.Attr("req", "DTS-OUT-2 DTS-OUT-4 DTS-OUT-6 DTS-PRB-1 DTS-PRB-2 DTS-CLI-3")
	binary := program.Binary(t)
	var cases []Case
	add := func(name string, env map[string]string, args []string, want []string, services ...service) {
		t.Helper()
		file, hosts := cluster(t, services...)
		document, said := generate(t, binary, file, args...)
		for _, w := range want {
			if !strings.Contains(string(document), w) {
				t.Errorf("%s: the document lacks %q:\n%s\n%s", name, w, document, said)
			}
		}
		for variable := range env {
			if !strings.Contains(said, variable) {
				t.Errorf("%s: nobody is told that HolmesGPT needs %s: %s", name, variable, said)
			}
		}
		cases = append(cases, Case{Name: name, Document: document, Expect: Expect{Env: env}, Hosts: hosts})
	}
	probe := []string{"--probe=direct"}

	each := []string{"prometheus/metrics:", "grafana/dashboards:", "grafana/loki:", "grafana/tempo:", "elasticsearch/data:",
		"elasticsearch/cluster:", "victorialogs:", "  jaeger:", "  zipkin:",
		"  alertmanager:", "  kibana:", "monitoring/thanos-query", "monitoring/vmsingle-main", "monitoring/mimir-gateway", "logging/opensearch"}
	add("one-of-each-type", nil, append(probe, "--set", "security.trustedNamespaces=[monitoring, logging, tracing]"), each, oneOfEach()...)
	// Without them HolmesGPT itself checks no HTTP toolset.
	add("one-of-each-type-of-strangers", nil, probe, each, oneOfEach()...)

	add("several-prometheus", nil, probe,
		[]string{"name: monitoring/prometheus", "name: team/prometheus", "name: legacy/prometheus-server", "/prometheus"},
		service{namespace: "monitoring", name: "prometheus", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.Prometheus},
		service{namespace: "team", name: "prometheus", labels: map[string]string{"app": "prometheus"}, port: "web", target: 9090, kind: standin.Prometheus, opts: standin.Options{BasePath: "/prometheus"}},
		service{namespace: "legacy", name: "prometheus-server", labels: map[string]string{"app": "prometheus", "component": "server"}, port: "http", target: 9090, kind: standin.Prometheus},
		service{namespace: "push", name: "prometheus-gateway", labels: map[string]string{"app": "prometheus"}, port: "web", target: 9090, kind: standin.Pushgateway},
		service{namespace: "edge", name: "prometheus", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.PrometheusAgent},
		service{namespace: "fake", name: "prometheus", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.Anything},
	)

	grafana := func(ns, day, key string) service {
		s := service{namespace: ns, name: "grafana", labels: app("grafana"), port: "service", target: 3000, created: day, kind: standin.Grafana}
		s.opts.Credentials.Bearer = key
		return s
	}
	add("several-grafana-some-want-credentials",
		map[string]string{"GRAFANA_API_KEY": "first-key", "TEAM_GRAFANA_KEY": "team-key"},
		append(probe, "--set", "credentials.grafana={obs/grafana: {api_key: GRAFANA_API_KEY}, team/grafana: {api_key: TEAM_GRAFANA_KEY}}"),
		[]string{"name: obs/grafana", "name: open/grafana", "name: team/grafana"},
		grafana("obs", "2025-01-01", "first-key"), grafana("open", "2025-06-01", ""), grafana("team", "2025-07-01", "team-key"),
		grafana("unlisted", "2025-08-01", "unlisted-key"))

	add("wants-credentials-and-tls", map[string]string{"ELASTICSEARCH_API_KEY": "es-key"},
		append(probe, "--set", "tls.insecureSkipVerify=[logging/logs-es-http]",
			"--set", "credentials.elasticsearch.logging/logs-es-http.api_key=ELASTICSEARCH_API_KEY"),
		[]string{"verify_ssl: false", "https://logs-es-http.logging.svc.cluster.local"},
		service{namespace: "logging", name: "logs-es-http", port: "https", target: 9200, tls: true, kind: standin.Elasticsearch,
			labels: map[string]string{"common.k8s.elastic.co/type": "elasticsearch", "elasticsearch.k8s.elastic.co/cluster-name": "logs"},
			opts:   standin.Options{Credentials: standin.Credentials{APIKey: "es-key"}}})

	// What requires credentials is older than what works without, and no variable is set: whatever works has to be healthy.
	locked := func(kind standin.Kind, namespace, name string, labels map[string]string, port string, target int) service {
		return service{namespace: namespace, name: name, labels: labels, port: port, target: target, created: "2020-01-01", kind: kind,
			opts: standin.Options{Credentials: standin.Credentials{Bearer: "secret"}}}
	}
	add("no-variable-is-set", nil, append(probe, "--set", "primary.prometheus=old/prometheus", "--set", "security.trustedNamespaces=[old]"),
		[]string{"name: monitoring/prometheus", "name: monitoring/thanos-query", "name: obs/open"},
		append(oneOfEach(), locked(standin.Prometheus, "old", "prometheus", app("prometheus", component, "server"), "http", 9090),
			locked(standin.Grafana, "old", "grafana", app("grafana"), "service", 3000),
			service{namespace: "obs", name: "open", labels: app("grafana"), port: "service", target: 3000, kind: standin.Grafana})...)

	add("base-paths", nil, append(probe, "--set", "security.trustedNamespaces=[istio-system]"), []string{"/prometheus", "/jaeger/api/", "/select/0/prometheus"},
		service{namespace: "monitoring", name: "prometheus", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.Prometheus, opts: standin.Options{BasePath: "/prometheus"}},
		service{namespace: "istio-system", name: "tracing", labels: map[string]string{"app": "jaeger"}, port: "http-query", target: 16686, kind: standin.Jaeger, opts: standin.Options{BasePath: "/jaeger"}},
		service{namespace: "vm", name: "vmselect-main", labels: app("vmselect"), port: "http", target: 8481, kind: standin.VMSelect},
		service{namespace: "annotated", name: "prometheus", labels: map[string]string{"app": "prometheus"}, port: "web", target: 9090, kind: standin.Prometheus,
			opts: standin.Options{BasePath: "/deep/down"}, annotations: map[string]string{"kubernaut.io/toolset-path": "/deep/down"}})

	add("custom-and-mcp", nil, append(probe, "--set", "security.trustedNamespaces=[tools]", "--set", "primary.custom=shop/orders-kb"),
		[]string{"custom/shop/orders-kb:", "custom/shop/wiki:", "mcp/tools/runbooks:", "Owner's note"},
		service{namespace: "shop", name: "orders-kb", port: "http", target: 8080, kind: standin.Custom, annotations: map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "custom", "kubernaut.io/toolset-name": "orders-kb",
			"kubernaut.io/toolset-health-endpoint": "/healthz", "kubernaut.io/toolset-description": `Orders: "how to" & {braces} # and more`}},
		service{namespace: "shop", name: "wiki", port: "http", target: 8080, kind: standin.Custom, annotations: map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "wiki", "kubernaut.io/toolset-health-endpoint": "none"}},
		service{namespace: "tools", name: "runbooks", port: "http", target: 8000, kind: standin.MCP, annotations: map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "mcp", "kubernaut.io/toolset-path": "/mcp",
			"kubernaut.io/toolset-description": "What to do at night"}},
		service{namespace: "shop", name: "prometheus", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.Prometheus,
			annotations: map[string]string{"kubernaut.io/toolset-description": "Only the shop"}})
	// A note stands once in what the agent reads, and in what it cannot see there is none.
	cases[len(cases)-1].Expect.Reads = map[string]int{
		`Orders: 'how to' & {braces} # and more`: 1, "What to do at night": 1, "Only the shop": 1, "Not proven to work": 1,
	}

	overrides := filepath.Join(t.TempDir(), "overrides.yaml")
	if err := os.WriteFile(overrides, []byte(`
toolsets:
  kubernetes/logs: null
  helm/core: {enabled: false}
  jaeger: {description: The traces of everything}
instances:
  prometheus:
    monitoring/prometheus: {additional_headers: {X-Scope-OrgID: team}}
    monitoring/spare: null
  grafana:
    monitoring/grafana: {timeout_seconds: 5}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	patched := append(oneOfEach(), service{namespace: "monitoring", name: "spare", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.Prometheus})
	add("overrides-patch-remove-add", nil, append(probe, "--overrides", overrides),
		[]string{"helm/core:", "The traces of everything", "X-Scope-OrgID: team", "timeout_seconds: 5"}, patched...)
	last := string(cases[len(cases)-1].Document)
	for _, gone := range []string{"kubernetes/logs", "monitoring/spare"} {
		if strings.Contains(last, gone) {
			t.Errorf("overrides: %s is still there", gone)
		}
	}

	add("nothing-found", nil, probe, []string{"kubernetes/core:"})
	add("nothing-found-no-baseline", nil, append(probe, "--set", "holmesgpt.baseline=[]", "--set", "holmesgpt.generationMarker=false"), nil)
	// As from a laptop: nothing is probed, and the document still fits the same backends.
	add("unprobed", map[string]string{"GRAFANA_API_KEY": "any"}, []string{"--probe=off", "--set", "primary.grafana=monitoring/grafana"},
		[]string{"prometheus/metrics:"}, plainOnly(oneOfEach())...)

	check(t, cases...)
}

// plainOnly leaves out what cannot be right unprobed here: OpenSearch speaks TLS by default, the stand-in does not.
func plainOnly(services []service) (out []service) {
	for _, s := range services {
		if s.kind != standin.OpenSearch {
			out = append(out, s)
		}
	}
	return out
}
