//go:build real

package real

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/holmes/venv"
)

// shown is a product in the document, and what HolmesGPT's tools are to return of it.
type shown struct {
	process string
	service service
	path    string // its base path
	calls   []call
}

// call is one of HolmesGPT's tools. In texts $instance and $url are of the product.
type call struct {
	tool   string
	params map[string]any
	want   string // in what the tool returns
}

// products that the document is to have, a Service each.
func document() []shown {
	metrics := []call{
		{"execute_prometheus_instant_query", map[string]any{"query": "up", "description": "lab", "instance": "$instance"}, `"__name__":"up"`},
		{"get_metric_names", map[string]any{"match": `{job!=""}`, "instance": "$instance"}, "up"},
	}
	search := []call{
		{"elasticsearch_cluster_health", map[string]any{"instance": "$instance"}, "cluster_name"},
		{"elasticsearch_search", map[string]any{"index": "lab", "body": map[string]any{"query": map[string]any{"match_all": map[string]any{}}}, "instance": "$instance"}, "an error in the lab"},
		{"elasticsearch_list_indices", map[string]any{"instance": "$instance"}, "lab"},
	}
	jaeger := []call{
		{"request", map[string]any{"method": "GET", "url": "$url/api/services"}, "checkout"},
		{"request", map[string]any{"method": "GET", "url": "$url/api/traces?service=checkout&limit=5"}, "GET /cart"},
	}
	at := func(name string, l labels, p port) service { return service{name: name, labels: l, ports: []port{p}} }
	query := chart("jaeger", "query")
	return []shown{
		{"prometheus", at("prometheus-server", promChart, port{"http", 9090, 0}), "", metrics},
		{"prometheus-3", at("prometheus-three", promChart, port{"http", 9090, 0}), "", metrics},
		{"prometheus-external", at("prometheus-path", promChart, port{"http", 9090, 0}), "/mon/prom", metrics},
		{"thanos-frontend", at("thanos-query-frontend", chart("thanos", "query-frontend"), port{"http", 10902, 0}), "", metrics},
		{"thanos-query-prefix", at("thanos-query", chart("thanos", "query"), port{"http", 10902, 0}), "/thanos", metrics},
		{"victoria-metrics", at("vm", labels{appName: "victoria-metrics-single"}, port{"http", 8428, 0}), "", metrics},
		{"cortex", at("mimir-query-frontend", chart("mimir", "query-frontend"), port{"http-metrics", 9009, 0}), "/prometheus", []call{
			{"execute_prometheus_instant_query", map[string]any{"query": "vector(1)", "description": "lab", "instance": "$instance"}, "success"},
		}},
		{"prom-label-proxy", at("prometheus-proxy", promChart, port{"http", 9090, 0}), "", metrics[:1]},
		{"loki", at("loki", chart("loki", "single-binary"), port{"http-metrics", 3100, 0}), "", []call{
			{"grafana_loki_query", map[string]any{"query": `{job="lab"} |= "error"`, "instance": "$instance"}, "an error in the lab"},
		}},
		{"victoria-logs", at("vl", labels{appName: "victoria-logs-single"}, port{"http", 9428, 0}), "", []call{
			{"victorialogs_query", map[string]any{"query": "error", "instance": "$instance"}, "an error in the lab"},
		}},
		{"tempo", at("tempo-query-frontend", chart("tempo", "query-frontend"), port{"http", 3200, 0}), "", []call{
			{"tempo_search_traces_by_query", map[string]any{"q": "{}", "instance": "$instance"}, "checkout"},
		}},
		{"elasticsearch-8", at("elasticsearch-master", labels{"app": "elasticsearch-master", "chart": "elasticsearch"}, port{"http", 9200, 0}), "", search},
		{"elasticsearch-7", at("elasticsearch-seven", labels{"app": "elasticsearch-seven", "chart": "elasticsearch"}, port{"http", 9200, 0}), "", search},
		{"opensearch", at("opensearch", chart("opensearch", "master"), port{"tcp-rest-api", 9200, 0}), "", search},
		{"jaeger", at("jaeger-query", query, port{"http-query", 16686, 0}), "", jaeger},
		{"jaeger-path", at("jaeger-path", query, port{"http-query", 16686, 0}), "/jaeger", jaeger},
		{"jaeger-2", at("jaeger-two", query, port{"http-query", 16686, 0}), "", jaeger},
		{"jaeger-2-path", at("jaeger-two-path", query, port{"http-query", 16686, 0}), "/jaeger/ui", jaeger},
		{"zipkin", at("zipkin", labels{appName: "zipkin"}, port{"http-query", 9411, 0}), "", []call{
			{"request", map[string]any{"method": "GET", "url": "$url/api/v2/traces?serviceName=checkout"}, "get /cart"},
		}},
		{"alertmanager", at("alertmanager", labels{appName: "alertmanager"}, port{"http-web", 9093, 0}), "", []call{
			{"request", map[string]any{"method": "GET", "url": "$url/api/v2/alerts"}, "LabAlert"},
		}},
	}
}

// answers are what tools.py prints.
type answers struct {
	Toolsets map[string]struct{ Status, Error string }
	Calls    []struct{ Status, Error, Data string }
}

// TestHolmesGPT has the service write the document, the real HolmesGPT load it, and its tools called: they return what is in
// each product.
func TestHolmesGPT(t *testing.T) {
	t.Attr("req", "DTS-QA-4 DTS-OUT-2")
	python, err := venv.Python(t.Context(), "../holmes/requirements.txt", t.Logf)
	must(t, err)
	var list []service
	var here []shown
	hosts := map[string]string{}
	for i, s := range document() {
		p := shared.processes[s.process]
		if p == nil {
			continue
		}
		s.service.namespace, s.service.ip = fmt.Sprintf("ns-%d", i), p.ip
		list, here = append(list, s.service), append(here, s)
		hosts[s.service.name+"."+s.service.namespace+".svc.cluster.local"] = p.ip
	}
	text, _ := shared.tool(t, "generate", "--probe=direct", "--key", "custom_toolset.yaml", "-f", shared.file(t, list))
	var written struct {
		Toolsets map[string]struct{ Enabled bool }
	}
	must(t, yaml.Unmarshal([]byte(text), &written))
	got := load(t, python, text, hosts, calls(t, here))
	for name, w := range written.Toolsets {
		if s := got.Toolsets[name]; w.Enabled && s.Status != "enabled" && !strings.HasPrefix(name, "kubernetes/") {
			t.Errorf("HolmesGPT has %s as %q, not enabled: %s", name, s.Status, s.Error)
		}
	}
	i := 0
	for _, s := range here {
		for _, c := range s.calls {
			a := got.Calls[i]
			i++
			t.Run(s.process+" "+c.tool, func(t *testing.T) {
				if a.Status != "success" || !strings.Contains(a.Data, c.want) {
					t.Errorf("%s %s, want %q in it: %.500s", a.Status, a.Error, c.want, a.Data)
				}
			})
		}
	}
}

// calls are all calls of the products, with their instances and URLs filled in.
func calls(t *testing.T, list []shown) []byte {
	t.Helper()
	var all []map[string]any
	for _, s := range list {
		host := s.service.name + "." + s.service.namespace + ".svc.cluster.local"
		fill := strings.NewReplacer("$instance", s.service.namespace+"/"+s.service.name,
			"$url", fmt.Sprintf("http://%s:%d%s", host, s.service.ports[0].number, s.path))
		for _, c := range s.calls {
			params := map[string]any{}
			for key, value := range c.params {
				if text, ok := value.(string); ok {
					value = fill.Replace(text)
				}
				params[key] = value
			}
			all = append(all, map[string]any{"tool": c.tool, "params": params})
		}
	}
	text, err := json.Marshal(all)
	must(t, err)
	return text
}

// load has HolmesGPT load the document and make the calls.
func load(t *testing.T, python, document string, hosts map[string]string, calls []byte) answers {
	t.Helper()
	dir := t.TempDir()
	names, err := yaml.Marshal(hosts)
	must(t, err)
	for name, text := range map[string][]byte{"custom_toolset.yaml": []byte(document), "hosts.yaml": names, "calls.json": calls} {
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	cmd := exec.CommandContext(t.Context(), "timeout", "--kill-after=5s", "5m", python, "-B", "tools.py", dir)
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("tools.py: %v\n%s", err, stderr.String())
	}
	var got answers
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("reading what tools.py prints: %v\n%.500s", err, stdout.String())
	}
	return got
}
