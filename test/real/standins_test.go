//go:build real

package real

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// twin is a stand-in and the real product that it stands for.
type twin struct {
	process string
	kind    standin.Kind
	options standin.Options
	// data are patterns of fields whose names are data.
	data []string
	// newer are paths that the stand-in's version has and the real one here has not, with the reason.
	newer map[string]string
}

func twins() []twin {
	series := []string{`^\.data\.result\[\]\.metric\.`, `^\.data\.analysis`}
	stores := append(slices.Clone(series), `^\.data\.sidecar\[\]\.labelSets\[\]\.`)
	reader := standin.Options{Credentials: standin.Credentials{Username: "reader", Password: "secret"}}
	tempo := map[string]string{"/status/buildinfo": "Tempo 1.5 fails over it when it is built with other libraries"}
	return []twin{
		{process: "prometheus-3", kind: standin.Prometheus, data: series},
		{process: "prometheus-3-agent", kind: standin.PrometheusAgent},
		{process: "prometheus-3-external", kind: standin.Prometheus, options: standin.Options{BasePath: "/mon/prom"}, data: series},
		{process: "prometheus-3-basic", kind: standin.Prometheus, options: reader},
		{process: "pushgateway", kind: standin.Pushgateway, newer: map[string]string{"/": "its page is not in the package"}},
		{process: "alertmanager", kind: standin.Alertmanager},
		{process: "alertmanager-am", kind: standin.Alertmanager, options: standin.Options{BasePath: "/am"}},
		{process: "thanos-query", kind: standin.Thanos, data: stores},
		{process: "thanos-query-prefix", kind: standin.Thanos, options: standin.Options{BasePath: "/thanos"}, data: stores},
		{process: "thanos-store", kind: standin.ThanosStore},
		{process: "victoria-metrics", kind: standin.VictoriaMetrics, data: series},
		{process: "victoria-metrics-prefix", kind: standin.VictoriaMetrics, options: standin.Options{BasePath: "/vm"}, data: series},
		{process: "victoria-metrics-basic", kind: standin.VictoriaMetrics, options: reader},
		{process: "vmagent", kind: standin.VMAgent},
		{process: "victoria-logs", kind: standin.VictoriaLogs, data: []string{`^\.job$`, `^\.values`}},
		{process: "loki", kind: standin.Loki},
		{process: "loki-tenants", kind: standin.Loki, options: standin.Options{Tenant: "team"}},
		{process: "loki-distributor", kind: standin.LokiPart},
		{process: "prom-label-proxy", kind: standin.PromLabelProxy, data: series},
		{process: "elasticsearch-8", kind: standin.Elasticsearch},
		{process: "opensearch", kind: standin.OpenSearch},
		{process: "opensearch-security", kind: standin.OpenSearch, options: reader},
		{process: "jaeger", kind: standin.Jaeger},
		{process: "jaeger-2", kind: standin.Jaeger},
		{process: "jaeger-2-path", kind: standin.Jaeger, options: standin.Options{BasePath: "/jaeger/ui"}},
		{process: "jaeger-odd", kind: standin.Jaeger, options: standin.Options{BasePath: "/tracing/ui"}},
		{process: "zipkin", kind: standin.Zipkin, data: []string{`^\.(counter|gauge)\.`}},
		{process: "tempo", kind: standin.Tempo, options: standin.Options{Version: "1.5.0"}, newer: tempo, data: []string{`^\.metrics\.inspected`}},
		{process: "tempo-tenants", kind: standin.Tempo, options: standin.Options{Version: "1.5.0", Tenant: "team"}, newer: tempo},
		{process: "cortex", kind: standin.Cortex},
		{process: "cortex-tenants", kind: standin.Cortex, options: standin.Options{Tenant: "team"}},
		{process: "cortex-querier", kind: standin.Cortex, options: standin.Options{NoIngesters: true}},
	}
}

// asked are all paths that the probes of the catalog ask, and the roots at which they look for a base path.
func asked(t *testing.T) []string {
	t.Helper()
	types, err := catalog.Builtin()
	must(t, err)
	paths := map[string]bool{"/": true}
	var add func(checks []catalog.Check)
	add = func(checks []catalog.Check) {
		for _, c := range checks {
			paths[c.Get] = true
			add(c.Or)
		}
	}
	for _, kind := range types.Types {
		p := kind.Probe
		for _, checks := range [][]catalog.Check{p.Identity, p.Not, p.Health, p.Version} {
			add(checks)
		}
		for _, one := range []*catalog.Check{p.Query, p.Members} {
			if one != nil {
				add([]catalog.Check{*one})
			}
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// TestStandins asks every path that a probe asks of the stand-in and of the real product: the answers have the same status, type
// of content and fields.
func TestStandins(t *testing.T) {
	t.Attr("req", "DTS-QA-4")
	paths := asked(t)
	for _, tw := range twins() {
		t.Run(tw.process, func(t *testing.T) {
			shared.need(t, tw.process)
			server, err := standin.Start("127.0.0.1:0", standin.New(tw.kind, tw.options))
			must(t, err)
			defer server.Close()
			product := shared.processes[tw.process].base()
			list := slices.Clone(paths)
			if tw.options.BasePath != "" {
				for _, path := range paths {
					list = append(list, tw.options.BasePath+path)
				}
				list = append(list, tw.options.BasePath)
			}
			for _, path := range list {
				if tw.newer[path] != "" {
					continue
				}
				if want, got := shape(t, product+path, tw.data), shape(t, server.URL+path, tw.data); want != got {
					t.Errorf("%s\nreal    %s\nstandin %s", path, want, got)
				}
			}
		})
	}
}

// shape is what of an answer a probe may look at: its status, its type, where it leads to, and the names of its fields.
func shape(t *testing.T, url string, data []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shared.client.Timeout)
	defer cancel()
	a, err := shared.ask(ctx, http.MethodGet, url, "", "Accept", "application/json")
	if err != nil {
		return err.Error()
	}
	kind, _, _ := strings.Cut(strings.ToLower(a.header.Get("Content-Type")), ";")
	text := fmt.Sprint(a.status, " ", kind)
	if to := a.header.Get("Location"); to != "" {
		text += " to " + to
	}
	for _, name := range a.header.Values("Www-Authenticate") {
		text += " wants " + strings.Fields(name)[0]
	}
	var value any
	if json.Unmarshal(a.body, &value) != nil {
		return text
	}
	fields := map[string]bool{}
	collect(fields, "", value)
	for name := range fields {
		for _, pattern := range data {
			if regexp.MustCompile(pattern).MatchString(name) {
				delete(fields, name)
			}
		}
	}
	return text + " " + strings.Join(slices.Sorted(maps.Keys(fields)), " ")
}

// collect puts the names of all fields into the set, as .data[].name.
func collect(fields map[string]bool, at string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, below := range v {
			collect(fields, at+"."+name, below)
		}
	case []any:
		for _, below := range v {
			collect(fields, at+"[]", below)
		}
		if len(v) == 0 {
			fields[at+"[]"] = true
		}
	default:
		fields[at] = true
	}
}
