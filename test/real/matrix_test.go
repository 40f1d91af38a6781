//go:build real

package real

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// truths are what the processes of the matrix are: a type, or "" for what is no backend, or guarded for what requires credentials
// before it says anything.
var truths = map[string]string{
	"prometheus": "prometheus", "prometheus-agent": "", "prom-label-proxy": "prometheus", "oauth2-proxy": guarded,
	"thanos-query": "thanos", "thanos-frontend": "thanos", "thanos-store": "", "thanos-compact": "", "thanos-rule": "", "thanos-receive": "",
	"thanos-sidecar-a": "", "victoria-metrics": "victoriametrics", "vmagent": "", "vmalert": "", "vmauth": "victoriametrics",
	"vmauth-select": "victoriametrics", "vmauth-users": guarded, "victoria-logs": "victorialogs", "loki": "loki", "loki-tenants": guarded, "loki-distributor": "",
	"loki-ingester": "", "loki-compactor": "", "loki-ruler": "", "loki-write": "", "loki-backend": "", "jaeger": "jaeger",
	"jaeger-2": "jaeger", "zipkin": "zipkin",
	"tempo": "tempo", "tempo-distributor": "", "cortex": "mimir", "alertmanager": "alertmanager", "elasticsearch-7": "elasticsearch",
	"elasticsearch-8": "elasticsearch", "opensearch": "opensearch", "opensearch-security": guarded, "pushgateway": "", "node-exporter": "", "blackbox-exporter": "",
	"elasticsearch-exporter": "", "influxdb": "", "etcd": "",
}

const guarded = "guarded"

// charts are a Service of each type as its chart makes it.
var charts = map[string]struct {
	labels labels
	port   string
}{
	"prometheus":      {promChart, "http"},
	"thanos":          {chart("thanos", "query"), "http"},
	"victoriametrics": {labels{appName: "victoria-metrics-single"}, "http"},
	"mimir":           {chart("mimir", "query-frontend"), "http-metrics"},
	"grafana":         {labels{appName: "grafana"}, "service"},
	"loki":            {chart("loki", "single-binary"), "http-metrics"},
	"victorialogs":    {labels{appName: "victoria-logs-single"}, "http"},
	"tempo":           {chart("tempo", "query-frontend"), "http-metrics"},
	"jaeger":          {chart("jaeger", "query"), "http-query"},
	"zipkin":          {labels{appName: "zipkin"}, "http-query"},
	"elasticsearch":   {labels{"app": "elasticsearch-master", "chart": "elasticsearch"}, "http"},
	"opensearch":      {chart("opensearch", "master"), "tcp-rest-api"},
	"kibana":          {labels{appName: "kibana"}, "http"},
	"alertmanager":    {labels{appName: "alertmanager"}, "http-web"},
}

// families are the types of which one becomes another where it proves to be that.
var families = [][]string{{"prometheus", "thanos", "victoriametrics", "mimir"}, {"elasticsearch", "opensearch"}}

func relatives(a, b string) bool {
	return a == b || slices.ContainsFunc(families, func(f []string) bool { return slices.Contains(f, a) && slices.Contains(f, b) })
}

// pair is a process behind the label of a type, or without any at its own port.
type pair struct {
	process, kind string
	service       service
}

// matrix is every process that runs here behind every type.
func (l *lab) matrix() ([]pair, error) {
	types, err := catalog.Builtin()
	if err != nil {
		return nil, err
	}
	var pairs []pair
	for _, name := range slices.Sorted(maps.Keys(truths)) {
		p := l.processes[name]
		if p == nil {
			continue
		}
		for _, kind := range types.Types {
			c, ok := charts[kind.Type]
			if !ok {
				return nil, fmt.Errorf("the matrix has no chart of %s", kind.Type)
			}
			first := int(kind.Ports.Numbers[0])
			pairs = append(pairs, pair{name, "label of " + kind.Type, service{
				namespace: name + "-label", name: kind.Type, labels: c.labels, ip: l.forwarded(p, first), ports: []port{{name: c.port, number: first}},
			}})
			for _, number := range kind.Ports.Numbers {
				if slices.Contains(kind.Ports.Shared, number) {
					continue
				}
				pairs = append(pairs, pair{name, fmt.Sprintf("port %d of %s", number, kind.Type), service{
					namespace: fmt.Sprintf("%s-%d", name, number), name: "of-" + kind.Type, ip: l.forwarded(p, int(number)),
					ports: []port{{number: int(number)}},
				}})
			}
		}
	}
	return pairs, nil
}

// TestMatrix puts every process behind the label and the ports of every type: nothing is taken for what it is not, and what is
// a relative of the type becomes what it is.
func TestMatrix(t *testing.T) {
	t.Attr("req", "DTS-QA-4 DTS-PRB-10")
	shared.need(t, "nginx")
	pairs, err := shared.matrix()
	must(t, err)
	var list []service
	for _, p := range pairs {
		list = append(list, p.service)
	}
	results := shared.discover(t, list)
	for _, p := range pairs {
		name := p.process + ", " + p.kind
		seen, reason := "nothing", ""
		for _, f := range results[p.service.namespace+"/"+p.service.name] {
			if seen == "nothing" || f.Verdict == "accepted" {
				seen, reason = strings.TrimSpace(f.Verdict+" "+f.Type), f.Reason
			}
		}
		if fault := p.fault(seen); fault != "" {
			t.Errorf("%s: %s (%s), want %s", name, seen, reason, fault)
		}
	}
	t.Logf("%d Services", len(pairs))
}

// fault is what is wanted instead of what is seen, or "".
func (p pair) fault(seen string) string {
	truth := truths[p.process]
	kind := p.kind[strings.LastIndex(p.kind, " ")+1:]
	taken := strings.HasPrefix(seen, "accepted")
	switch {
	case truth == guarded: // what it is, nobody can know
		return ""
	case truth != "" && relatives(truth, kind):
		if seen != "accepted "+truth {
			return "accepted " + truth
		}
	case taken && seen != "accepted "+truth:
		return "that it is not taken"
	}
	return ""
}
