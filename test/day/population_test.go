//go:build integration && day

package day

import (
	"fmt"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// teams are the owners whose namespaces come and go.
var teams = []string{"team-a", "team-b", "team-c"}

// software is what a chart installs: what it is called in labels, and what the chart's older and newer versions call
// its port.
type software struct{ name, component, port, newPort string }

var (
	prometheus      = software{"prometheus", "server", "http", "http-web"}
	victoriaMetrics = software{"victoria-metrics-single", "server", "http", "http-api"}
	jaeger          = software{"jaeger", "query", "query", "http-query"}
	grafana         = software{"grafana", "", "service", "http"}
	loki            = software{"loki", "", "http-metrics", "http"}
	elasticsearch   = software{"elasticsearch", "", "http", "http-es"}
	tempo           = software{"tempo", "", "tempo-prom-metrics", "http"}
	zipkin          = software{"zipkin", "", "http-query", "http"}
	alertmanager    = software{"alertmanager", "", "http", "http-web"}
	thanos          = software{"thanos", "query", "http", "http-query"}
)

// helm are the labels that today's charts set, and classic those of older ones.
func (s *software) helm() map[string]string {
	labels := map[string]string{
		"app.kubernetes.io/name": s.name, "app.kubernetes.io/instance": s.name, "app.kubernetes.io/managed-by": "Helm",
		"app.kubernetes.io/version": "1.0.0", "helm.sh/chart": s.name + "-25.8.0",
	}
	if s.component != "" {
		labels["app.kubernetes.io/component"] = s.component
	}
	return labels
}

func (s *software) classic() map[string]string {
	labels := map[string]string{"app": s.name, "release": s.name, "chart": s.name + "-11.1.0", "heritage": "Helm"}
	if s.component != "" {
		labels["component"] = s.component
	}
	return labels
}

// chart makes a backend that a chart installs, in the chart's older and its newer version.
func chart(namespace, name string, s software, port, newPort int32, start func() (*pod, error)) *backend {
	return &backend{namespace: namespace, name: name, start: start, releases: []release{
		{s.classic(), s.port, port}, {s.helm(), s.newPort, newPort},
	}}
}

// population are the backends that are there at the start: real products where they can be had, and stand-ins beside
// them.
func (d *day) population() []*backend {
	pod := d.products.pod
	secure := chart("monitoring", "metrics-tls", prometheus, 443, 443, pod("front-tls", standin.Prometheus))
	secure.releases = []release{{prometheus.helm(), "https", 443}}
	list := []*backend{
		chart("monitoring", "prometheus", prometheus, 9090, 80, pod("prometheus", standin.Prometheus)),
		chart("monitoring", "victoria-metrics", victoriaMetrics, 8428, 8428, pod("victoria-metrics", standin.VictoriaMetrics)),
		chart("tracing", "jaeger-query", jaeger, 16686, 80, pod("jaeger", standin.Jaeger)),
		secure,
		chart("monitoring", "front", prometheus, 80, 8080, pod("front", standin.Prometheus)),
		chart("monitoring", "grafana", grafana, 80, 3000, standIn(standin.Grafana)),
		chart("monitoring", "alertmanager", alertmanager, 9093, 80, standIn(standin.Alertmanager)),
		chart("monitoring", "thanos-query", thanos, 9090, 10902, standIn(standin.Thanos)),
		chart("logging", "loki", loki, 3100, 80, standIn(standin.Loki)),
		chart("logging", "elasticsearch", elasticsearch, 9200, 9201, standIn(standin.Elasticsearch)),
		chart("tracing", "tempo", tempo, 3200, 3100, standIn(standin.Tempo)),
		chart("tracing", "zipkin", zipkin, 9411, 80, standIn(standin.Zipkin)),
		ownAPI("monitoring"),
	}
	for _, team := range teams {
		list = append(list, d.ofTeam(team)...)
	}
	return list
}

// ownAPI is one that its owner includes.
func ownAPI(team string) *backend {
	return &backend{
		namespace: team, name: "orders-kb", start: standIn(standin.Custom),
		releases: []release{{map[string]string{"app": "orders-kb"}, "http", 8080}},
		annotations: map[string]string{
			"kubernaut.io/toolset": "enabled", "kubernaut.io/toolset-type": "custom",
			"kubernaut.io/toolset-health-endpoint": "/healthz", "kubernaut.io/toolset-description": "orders of " + team,
		},
	}
}

// ofTeam are the backends of one team: what a chart installs, and an API of its own.
func (d *day) ofTeam(team string) []*backend {
	return []*backend{
		chart(team, "prometheus", prometheus, 9090, 80, standIn(standin.Prometheus)),
		chart(team, "jaeger", jaeger, 16686, 80, standIn(standin.Jaeger)),
		chart(team, "grafana", grafana, 3000, 80, standIn(standin.Grafana)),
		chart(team, "loki", loki, 3100, 3100, standIn(standin.Loki)),
		ownAPI(team),
	}
}

// newcomer is the n-th backend that a team installs.
func newcomer(n int) *backend {
	namespace := fmt.Sprintf("new-%d", n%3)
	switch n % 4 {
	case 0:
		return chart(namespace, fmt.Sprintf("prometheus-%d", n), prometheus, 9090, 80, standIn(standin.Prometheus))
	case 1:
		return chart(namespace, fmt.Sprintf("grafana-%d", n), grafana, 80, 80, standIn(standin.Grafana))
	case 2:
		return chart(namespace, fmt.Sprintf("jaeger-%d", n), jaeger, 16686, 16686, standIn(standin.Jaeger))
	}
	return chart(namespace, fmt.Sprintf("loki-%d", n), loki, 3100, 3100, standIn(standin.Loki))
}
