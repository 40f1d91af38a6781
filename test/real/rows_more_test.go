//go:build real

package real

func traceRows() []row {
	query := chart("jaeger", "query")
	tempo := chart("tempo", "query-frontend")
	search := want{verdict: "accepted", kind: "tempo", version: "-", reason: []string{"Tempo 2"}}
	rows := []row{
		{process: "jaeger", like: "chart", name: "jaeger-query", labels: query, port: port{name: "http-query"}, want: accepted("jaeger", "")},
		{process: "jaeger", like: "chart, port 80", name: "jaeger-query", labels: query, port: port{"query", 80, 16686}, want: accepted("jaeger", "")},
		{process: "jaeger", like: "operator", name: "simplest-query", labels: labels{"app": "jaeger", appComponent: "service-query"}, port: port{name: "http-query"}, want: accepted("jaeger", "")},
		{process: "jaeger", like: "Istio", name: "tracing", labels: labels{"app": "jaeger"}, port: port{"http-query", 80, 16686}, want: accepted("jaeger", "")},
		{process: "jaeger", like: "none", name: "traces", port: unnamed, want: accepted("jaeger", "")},
		{process: "jaeger-path", like: "chart", name: "jaeger-query", labels: query, port: port{name: "http-query"}, want: accepted("jaeger", "/jaeger")},
		{process: "jaeger-odd", like: "chart", name: "jaeger-query", labels: query, port: port{name: "http-query"}, want: accepted("jaeger", "/tracing/ui")},
		{process: "jaeger-odd", like: "none", name: "traces", port: unnamed, want: accepted("jaeger", "/tracing/ui")},
		{process: "jaeger-odd", like: "owner's path", name: "jaeger-query", labels: query, notes: labels{"kubernaut.io/toolset-path": "/tracing/ui"}, port: port{name: "http-query"}, want: accepted("jaeger", "/tracing/ui")},
		{process: "jaeger-2", like: "chart", name: "jaeger", labels: chart("jaeger", "all-in-one"), port: port{name: "http-query"}, want: accepted("jaeger", "")},
		{process: "jaeger-2", like: "OpenTelemetry operator", name: "traces-collector", labels: labels{"app.kubernetes.io/managed-by": "opentelemetry-operator", appComponent: "opentelemetry-collector"}, port: port{name: "jaeger-query"}, want: accepted("jaeger", "")},
		{process: "jaeger-2", like: "weak", name: "tracing", labels: labels{"app": "jaeger"}, port: port{"http-query", 80, 16686}, want: accepted("jaeger", "")},
		{process: "jaeger-2", like: "none", name: "traces", port: unnamed, want: accepted("jaeger", "")},
		{process: "jaeger-2-path", like: "OpenTelemetry's demo", name: "jaeger", labels: chart("jaeger", "all-in-one"), port: port{name: "http-query"}, want: accepted("jaeger", "/jaeger/ui")},
		{process: "jaeger-2-path", like: "none", name: "traces", port: unnamed, want: accepted("jaeger", "/jaeger/ui")},
		{process: "zipkin", like: "chart", name: "zipkin", labels: labels{appName: "zipkin"}, port: port{name: "http-query"}, want: accepted("zipkin", "")},
		{process: "zipkin", like: "weak", name: "zipkin", labels: labels{"app": "zipkin"}, port: own, want: accepted("zipkin", "")},
		{process: "zipkin", like: "none", name: "traces", port: unnamed, want: accepted("zipkin", "")},
		{process: "tempo", like: "chart", name: "tempo-query-frontend", labels: tempo, port: own, want: search},
		{process: "tempo", like: "weak", name: "tempo", labels: labels{"app": "tempo"}, port: own, want: search},
		{process: "tempo", like: "none", name: "traces", port: unnamed, want: search},
		{process: "tempo-tenants", like: "chart", name: "tempo-query-frontend", labels: tempo, port: own, want: verdict("unavailable", "tempo", "tenant")},
		{process: "tempo-frontend", like: "chart", name: "tempo-query-frontend", labels: tempo, port: own, want: verdict("unavailable", "tempo")},
	}
	for _, kind := range []struct{ name, label, port string }{
		{"grafana", "grafana", "service"}, {"kibana", "kibana", "http"}, {"alertmanager", "alertmanager", "http-web"},
	} { // Jaeger answers every path with its page
		rows = append(rows, row{process: "jaeger", like: kind.name, name: kind.name, labels: labels{appName: kind.label}, port: port{name: kind.port}, want: verdict("rejected", "")})
	}
	for _, part := range []string{"distributor", "compactor"} {
		rows = append(
			rows,
			row{process: "tempo-" + part, like: "frontend's", name: "tempo-query-frontend", labels: tempo, port: own, want: verdict("rejected", "")},
			row{process: "tempo-" + part, like: "none", name: "traces", port: unnamed, want: verdict("rejected", "")},
		)
	}
	return rows
}

func searchRows() []row {
	elastic := labels{"app": "elasticsearch-master", "chart": "elasticsearch", "release": "elasticsearch", "heritage": "Helm"}
	bitnami := chart("elasticsearch", "master")
	open := labels{appName: "opensearch"}
	httpScheme := labels{"kubernaut.io/toolset-scheme": "http"}
	var rows []row
	for _, p := range []string{"elasticsearch-7", "elasticsearch-8"} {
		rows = append(
			rows,
			row{process: p, like: "elastic's chart", name: "elasticsearch-master", labels: elastic, port: own, want: accepted("elasticsearch", "")},
			row{process: p, like: "bitnami", name: "elasticsearch", labels: bitnami, port: port{name: "tcp-rest-api"}, want: accepted("elasticsearch", "")},
			row{process: p, like: "weak", name: "elasticsearch", labels: labels{"app": "elasticsearch"}, port: own, want: accepted("elasticsearch", "")},
			row{process: p, like: "none", name: "search", port: unnamed, want: accepted("elasticsearch", "")},
			row{process: p, like: "opensearch", name: "opensearch", labels: open, port: own, want: accepted("elasticsearch", "")},
			row{process: p, like: "kibana", name: "kibana", labels: labels{appName: "kibana"}, port: port{"http", 5601, 0}, want: verdict("rejected", "")},
		)
	}
	return append(
		rows,
		row{process: "elasticsearch-red", like: "elastic's chart", name: "elasticsearch-master", labels: elastic, port: own, want: verdict("unavailable", "elasticsearch", "red")},
		row{process: "opensearch", like: "chart", name: "opensearch-cluster-master", labels: open, notes: httpScheme, port: own, want: accepted("opensearch", "")},
		row{process: "opensearch-security", like: "chart", name: "opensearch-cluster-master", labels: open, notes: httpScheme, port: own, want: wantsCredentials("opensearch", "username", "password")},
		row{process: "opensearch-security", like: "none", name: "search", port: unnamed, want: want{verdict: "unconfirmed", probe: "auth-required"}},
		row{process: "opensearch", like: "bitnami", name: "opensearch", labels: chart("opensearch", "master"), port: port{name: "tcp-rest-api"}, want: accepted("opensearch", "")},
		row{process: "opensearch", like: "weak", name: "opensearch", labels: labels{"app": "opensearch"}, port: own, want: accepted("opensearch", "")},
		row{process: "opensearch", like: "none", name: "search", port: unnamed, want: accepted("opensearch", "")},
		row{process: "opensearch", like: "elastic's chart", name: "elasticsearch-master", labels: elastic, port: own, want: accepted("opensearch", "")},
		row{process: "opensearch", like: "weak elasticsearch", name: "elasticsearch", labels: labels{"app": "elasticsearch"}, port: own, want: accepted("opensearch", "")},
		row{process: "opensearch", like: "owner says elasticsearch", name: "search", notes: include("elasticsearch"), port: own, want: accepted("opensearch", "")},
	)
}

func otherRows() []row {
	rows := []row{
		{process: "alertmanager", like: "chart", name: "alertmanager", labels: labels{appName: "alertmanager"}, port: own, want: accepted("alertmanager", "")},
		{process: "alertmanager", like: "none", name: "alerts", port: unnamed, want: accepted("alertmanager", "")},
		{process: "alertmanager-am", like: "chart", name: "alertmanager", labels: labels{appName: "alertmanager"}, port: own, want: accepted("alertmanager", "/am")},
	}
	for _, p := range []string{"pushgateway", "node-exporter", "blackbox-exporter", "elasticsearch-exporter", "influxdb", "etcd"} {
		rows = append(
			rows,
			row{process: p, like: "prometheus chart", name: "prometheus-server", labels: promChart, port: port{"http", 9090, 0}, want: verdict("rejected", "")},
			row{process: p, like: "weak", name: "prometheus", labels: labels{"app": "prometheus"}, port: port{"http", 9090, 0}, want: verdict("rejected", "")},
		)
	}
	return rows
}
