//go:build holmes

package holmes

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/holmes/venv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestCheckCatches proves that the check can fail: each trap of HolmesGPT, and each way in which its own checks are too
// kind, is caught.
func TestCheckCatches(t *testing.T) {
	t.Attr("req", "DTS-QA-1")
	lines, err := run(t.Context(), python(t), "check.py", "--self-test")
	must(t, err)
	report(t, lines)
	if len(lines) < 20 {
		t.Errorf("only %d cases were run", len(lines))
	}
}

// TestDocuments loads documents written by hand, in the shapes this service writes.
func TestDocuments(t *testing.T) {
	t.Attr("req", "DTS-OUT-1 DTS-OUT-2")
	prometheus := start(t, standin.Prometheus, standin.Options{})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	es := startTLS(t, standin.Elasticsearch, standin.Options{
		Credentials: standin.Credentials{APIKey: "es-key", Username: "elastic", Password: "es-password"},
	}, "es.logging.svc.cluster.local")
	must(t, os.WriteFile(ca, es.CA, 0o600))

	everyType := load(t, "every-type", map[string]string{
		"prometheus.monitoring.svc.cluster.local:9090": start(t, standin.Prometheus, standin.Options{BasePath: "/prometheus"}),
		"grafana.monitoring.svc.cluster.local:80":      start(t, standin.Grafana, standin.Options{Credentials: standin.Credentials{Bearer: "grafana-key"}}),
		"loki.logging.svc.cluster.local:3100":          start(t, standin.Loki, standin.Options{Tenant: "team"}),
		"tempo.tracing.svc.cluster.local:3200":         start(t, standin.Tempo, standin.Options{}),
		"es.logging.svc.cluster.local:9200":            es.Addr,
		"vlogs.logging.svc.cluster.local:9428":         start(t, standin.VictoriaLogs, standin.Options{}),
		"jaeger-query.tracing.svc.cluster.local:16686": start(t, standin.Jaeger, standin.Options{BasePath: "/jaeger"}),
		"zipkin.tracing.svc.cluster.local:9411":        start(t, standin.Zipkin, standin.Options{}),
		"alertmanager.monitoring.svc.cluster.local:9093": start(t, standin.Alertmanager, standin.Options{
			Credentials: standin.Credentials{Bearer: "am-token"}}),
		"kibana.logging.svc.cluster.local:5601": start(t, standin.Kibana, standin.Options{
			Credentials: standin.Credentials{Username: "elastic", Password: "kibana-password"}}),
		"orders-kb.shop.svc.cluster.local:8080": start(t, standin.Custom, standin.Options{}),
		"runbooks.shop.svc.cluster.local:8000":  start(t, standin.MCP, standin.Options{Credentials: standin.Credentials{Bearer: "mcp-token"}}),
	})
	severalInstances := load(t, "several-instances", map[string]string{
		"prometheus.monitoring.svc.cluster.local:9090": prometheus,
		"mimir.monitoring.svc.cluster.local:80":        start(t, standin.Mimir, standin.Options{Tenant: "team"}),
		"thanos.monitoring.svc.cluster.local:9090":     start(t, standin.Thanos, standin.Options{Credentials: standin.Credentials{Bearer: "thanos-token"}}),
		"vmsingle.monitoring.svc.cluster.local:8428":   start(t, standin.VictoriaMetrics, standin.Options{}),
		"vmselect.monitoring.svc.cluster.local:8481":   start(t, standin.VMSelect, standin.Options{}),
		"es.logging.svc.cluster.local:9200":            es.Addr,
		"opensearch.logging.svc.cluster.local:9200":    start(t, standin.OpenSearch, standin.Options{}),
	})
	// How a private CA is trusted where HolmesGPT runs; the document cannot say it.
	severalInstances.Expect.Env["REQUESTS_CA_BUNDLE"] = ca
	failing := load(t, "failing", map[string]string{
		"prometheus.monitoring.svc.cluster.local:9090":  prometheus,
		"agent.monitoring.svc.cluster.local:9090":       start(t, standin.PrometheusAgent, standin.Options{}),
		"pushgateway.monitoring.svc.cluster.local:9091": start(t, standin.Pushgateway, standin.Options{}),
		"gone.monitoring.svc.cluster.local:9090":        gone(t),
		"es.logging.svc.cluster.local:9200":             start(t, standin.Elasticsearch, standin.Options{Credentials: standin.Credentials{APIKey: "right"}}),
		"wiki.shop.svc.cluster.local:8080":              start(t, standin.Custom, standin.Options{NotReady: true}),
		"runbooks.shop.svc.cluster.local:8000":          start(t, standin.MCP, standin.Options{NotReady: true}),
	})

	check(t, everyType, severalInstances, failing)
}

// python is the interpreter that has HolmesGPT.
func python(t *testing.T) string {
	t.Helper()
	p, err := venv.Python(t.Context(), "requirements.txt", t.Logf)
	must(t, err)
	return p
}

// check has HolmesGPT load the cases, and makes each a subtest.
func check(t *testing.T, cases ...Case) {
	t.Helper()
	lines, err := Check(t.Context(), python(t), t.TempDir(), cases)
	must(t, err)
	report(t, lines)
	if len(lines) != len(cases) {
		t.Errorf("%d cases, %d outcomes: %q", len(cases), len(lines), lines)
	}
}

func report(t *testing.T, lines []string) {
	t.Helper()
	for _, line := range lines {
		name, _, _ := strings.Cut(strings.TrimSpace(line[min(4, len(line)):]), " ")
		t.Run(strings.TrimSuffix(name, ":"), func(t *testing.T) {
			t.Log(line)
			if !strings.HasPrefix(line, "ok ") {
				t.Fail()
			}
		})
	}
}

// load reads a case from testdata.
func load(t *testing.T, name string, hosts map[string]string) Case {
	t.Helper()
	c := Case{Name: name, Hosts: hosts}
	var err error
	if c.Document, err = os.ReadFile(filepath.Join("testdata", name, "custom_toolset.yaml")); err != nil {
		t.Fatal(err)
	}
	expect, err := os.ReadFile(filepath.Join("testdata", name, "expect.yaml"))
	must(t, err)
	must(t, yaml.UnmarshalStrict(expect, &c.Expect))
	return c
}

// start serves a stand-in on loopback and returns its address:port.
func start(t *testing.T, kind standin.Kind, opts standin.Options) string {
	t.Helper()
	return startBackend(t, standin.New(kind, opts))
}

func startBackend(t *testing.T, b *standin.Backend) string {
	t.Helper()
	s, err := standin.Start("127.0.0.1:0", b)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s.Addr
}

func startTLS(t *testing.T, kind standin.Kind, opts standin.Options, names ...string) *standin.Server {
	t.Helper()
	s, err := standin.StartTLS("127.0.0.1:0", standin.New(kind, opts), names...)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// gone is an address where nothing listens any more.
func gone(t *testing.T) string {
	t.Helper()
	s, err := standin.Start("127.0.0.1:0", http.NotFoundHandler())
	must(t, err)
	must(t, s.Close())
	return s.Addr
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
