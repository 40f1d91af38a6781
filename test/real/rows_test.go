//go:build real

package real

import "slices"

const (
	appName      = "app.kubernetes.io/name"
	appComponent = "app.kubernetes.io/component"
)

func chart(name, component string) labels { return labels{appName: name, appComponent: component} }

// include is how an owner says what a Service is.
func include(kind string, more ...string) labels {
	notes := labels{"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": kind}
	for i := 0; i+1 < len(more); i += 2 {
		notes["kubernaut.io/toolset-"+more[i]] = more[i+1]
	}
	return notes
}

func accepted(kind, path string) want { return want{verdict: "accepted", kind: kind, path: path} }

// wantsCredentials is up, and left out while another of the toolset works without any and the configuration names none.
func wantsCredentials(kind string, more ...string) want {
	return want{verdict: "unavailable", kind: kind, probe: "auth-required", reason: append(more, "requires credentials")}
}

func verdict(v, kind string, reason ...string) want {
	return want{verdict: v, kind: kind, reason: reason}
}

func table() []row {
	return slices.Concat(prometheusRows(), thanosRows(), victoriaRows(), mimirRows(), lokiRows(), traceRows(), searchRows(), otherRows())
}

var (
	promChart = chart("prometheus", "server")
	promStack = labels{"app": "kube-prometheus-stack-prometheus", "self-monitor": "true", "release": "kps"}
	own       = port{name: "http"} // the process's own port
	unnamed   = port{}
)

func prometheusRows() []row {
	var rows []row
	for _, p := range []string{"prometheus", "prometheus-3"} {
		rows = append(
			rows,
			row{process: p, like: "chart", name: "prometheus-server", labels: promChart, port: own, want: accepted("prometheus", "")},
			row{process: p, like: "chart, port 80", name: "prometheus-server", labels: promChart, port: port{"http", 80, 9090}, want: accepted("prometheus", "")},
			row{process: p, like: "stack", name: "kps-prometheus", labels: promStack, port: port{name: "http-web"}, want: accepted("prometheus", "")},
			row{process: p, like: "weak", name: "prometheus", labels: labels{"app": "prometheus"}, port: own, want: accepted("prometheus", "")},
			row{process: p, like: "none", name: "metrics", port: unnamed, want: accepted("prometheus", "")},
			row{process: p, like: "thanos", name: "thanos-query", labels: chart("thanos", "query"), port: own, want: accepted("prometheus", "")},
			row{process: p, like: "victoriametrics", name: "vmsingle", labels: labels{appName: "vmsingle"}, port: own, want: accepted("prometheus", "")},
			row{process: p, like: "owner says thanos", name: "metrics", notes: include("thanos"), port: own, want: accepted("prometheus", "")},
			row{process: p + "-external", like: "chart", name: "prometheus-server", labels: promChart, port: own, want: accepted("prometheus", "/mon/prom")},
			row{process: p + "-external", like: "none", name: "metrics", port: unnamed, want: accepted("prometheus", "/mon/prom")},
			row{process: p + "-links", like: "chart", name: "prometheus-server", labels: promChart, port: own, want: accepted("prometheus", "")},
			row{process: p + "-agent", like: "chart", name: "prometheus-server", labels: promChart, port: own, want: verdict("rejected", "prometheus", "agent mode")},
			row{process: p + "-agent", like: "none", name: "metrics", port: unnamed, want: verdict("rejected", "prometheus")},
			row{process: p + "-basic", like: "chart", name: "prometheus-server", labels: promChart, port: own, want: wantsCredentials("prometheus")},
			row{process: p + "-basic", like: "none", name: "metrics", port: unnamed, want: verdict("unconfirmed", "prometheus")},
		)
	}
	return append(
		rows,
		row{process: "prometheus-empty", like: "chart", name: "prometheus-server", labels: promChart, port: own, want: accepted("prometheus", "")},
		row{process: "prom-label-proxy", like: "chart", name: "prometheus-server", labels: promChart, port: own, want: want{verdict: "accepted", kind: "prometheus", version: "-"}},
		row{process: "prom-label-proxy-open", like: "chart", name: "prometheus-server", labels: promChart, port: own, want: verdict("unavailable", "prometheus", "query parameter must be provided")},
		row{process: "oauth2-proxy", like: "chart", name: "prometheus-server", labels: promChart, port: port{"http", 9090, 4180}, want: wantsCredentials("prometheus")},
		row{process: "oauth2-proxy", like: "none", name: "metrics", port: port{"", 9090, 0}, want: verdict("unconfirmed", "prometheus")},
	)
}

func thanosRows() []row {
	query, frontend := chart("thanos", "query"), chart("thanos", "query-frontend")
	behind9090 := port{"http", 9090, 10902}
	rows := []row{
		{process: "thanos-query", like: "chart", name: "thanos-query", labels: query, port: behind9090, want: accepted("thanos", "")},
		{process: "thanos-query", like: "kube-thanos", name: "thanos-query", labels: labels{appName: "thanos-query"}, port: own, want: accepted("thanos", "")},
		{process: "thanos-query", like: "weak", name: "thanos", labels: labels{"app": "thanos"}, port: own, want: accepted("thanos", "")},
		{process: "thanos-query", like: "weak, other port", name: "thanos", labels: labels{"app": "thanos"}, port: behind9090, want: accepted("thanos", "")},
		{process: "thanos-query", like: "none", name: "metrics", port: unnamed, want: accepted("thanos", "")},
		{process: "thanos-query", like: "prometheus chart", name: "prometheus-server", labels: promChart, port: port{"http", 9090, 0}, want: accepted("thanos", "")},
		{process: "thanos-query", like: "prometheus stack", name: "kps", labels: promStack, port: port{"http-web", 9090, 0}, want: accepted("thanos", "")},
		{process: "thanos-query", like: "owner says prometheus", name: "metrics", notes: include("prometheus"), port: own, want: accepted("thanos", "")},
		{process: "thanos-frontend", like: "chart", name: "thanos-query-frontend", labels: frontend, port: behind9090, want: accepted("thanos", "")},
		{process: "thanos-frontend", like: "none", name: "metrics", port: unnamed, want: accepted("thanos", "")},
		{process: "thanos-frontend-dead", like: "chart", name: "thanos-query-frontend", labels: frontend, port: behind9090, want: verdict("unavailable", "thanos")},
		{process: "thanos-query-prefix", like: "chart", name: "thanos-query", labels: query, port: own, want: accepted("thanos", "/thanos")},
		{process: "thanos-query-prefix", like: "owner's path", name: "q", notes: include("thanos", "path", "/thanos"), port: own, want: accepted("thanos", "/thanos")},
		{process: "thanos-query-external", like: "chart", name: "thanos-query", labels: query, port: own, want: accepted("thanos", "/q")},
		{process: "thanos-query-alone", like: "chart", name: "thanos-query", labels: query, port: own, want: accepted("thanos", "")},
	}
	for _, part := range []string{"store", "compact", "rule", "receive", "bucket", "sidecar-a"} {
		rows = append(
			rows,
			row{process: "thanos-" + part, like: "thanos query's", name: "thanos-query", labels: query, port: own, want: verdict("rejected", "")},
			row{process: "thanos-" + part, like: "none", name: "metrics", port: unnamed, want: verdict("rejected", "")},
			row{process: "thanos-" + part, like: "none, 9090", name: "metrics", port: port{"", 9090, 0}, want: verdict("rejected", "")},
			row{process: "thanos-" + part, like: "prometheus chart", name: "prometheus-server", labels: promChart, port: own, want: verdict("rejected", "")},
		)
	}
	return rows
}

func victoriaRows() []row {
	single := labels{appName: "victoria-metrics-single"}
	logs := labels{appName: "victoria-logs-single"}
	rows := []row{
		{process: "victoria-metrics", like: "chart", name: "vm", labels: single, port: own, want: accepted("victoriametrics", "")},
		{process: "victoria-metrics", like: "operator", name: "vmsingle-x", labels: labels{appName: "vmsingle"}, port: own, want: accepted("victoriametrics", "")},
		{process: "victoria-metrics", like: "weak", name: "victoria-metrics", labels: labels{"app": "victoria-metrics"}, port: own, want: accepted("victoriametrics", "")},
		{process: "victoria-metrics", like: "none", name: "metrics", port: unnamed, want: accepted("victoriametrics", "")},
		{process: "victoria-metrics", like: "prometheus chart", name: "prometheus-server", labels: promChart, port: port{"http", 9090, 0}, want: accepted("victoriametrics", "")},
		{process: "victoria-metrics", like: "owner says prometheus", name: "metrics", notes: include("prometheus"), port: own, want: accepted("victoriametrics", "")},
		{process: "victoria-metrics-prefix", like: "chart", name: "vm", labels: single, port: own, want: accepted("victoriametrics", "/vm")},
		{process: "victoria-metrics-prefix", like: "owner's path", name: "vm", labels: single, notes: include("victoriametrics", "path", "/vm"), port: own, want: accepted("victoriametrics", "/vm")},
		{process: "victoria-metrics-basic", like: "chart", name: "vm", labels: single, port: own, want: wantsCredentials("victoriametrics")},
		{process: "vmauth", like: "owner", name: "metrics", notes: include("victoriametrics"), port: own, want: accepted("victoriametrics", "")},
		{process: "vmauth", like: "operator", name: "vmauth-x", labels: labels{appName: "vmauth"}, port: own, want: accepted("victoriametrics", "")},
		{process: "vmauth", like: "chart", name: "x-victoria-metrics-auth", labels: labels{appName: "victoria-metrics-auth"}, port: own, want: accepted("victoriametrics", "")},
		{process: "vmauth-select", like: "operator", name: "vmauth-x", labels: labels{appName: "vmauth"}, port: own, want: accepted("victoriametrics", "/select/0/prometheus")},
		{process: "vmauth-select", like: "owner", name: "metrics", notes: include("victoriametrics"), port: own, want: accepted("victoriametrics", "/select/0/prometheus")},
		{process: "vmauth-users", like: "operator", name: "vmauth-x", labels: labels{appName: "vmauth"}, port: own, want: verdict("unconfirmed", "victoriametrics", "without credentials")},
		{process: "vmauth", like: "prometheus chart", name: "prometheus-server", labels: promChart, port: port{"http", 9090, 0}, want: accepted("victoriametrics", "")},
		{process: "vmauth-users", like: "owner", name: "metrics", notes: include("victoriametrics"), port: own, want: wantsCredentials("victoriametrics")},
		{process: "victoria-logs", like: "chart", name: "vl", labels: logs, port: own, want: accepted("victorialogs", "")},
		{process: "victoria-logs", like: "weak", name: "victoria-logs", labels: labels{"app": "victoria-logs"}, port: own, want: accepted("victorialogs", "")},
		{process: "victoria-logs", like: "none", name: "logs", port: unnamed, want: accepted("victorialogs", "")},
		{process: "victoria-logs-prefix", like: "chart", name: "vl", labels: logs, port: own, want: accepted("victorialogs", "/vl")},
		{process: "victoria-logs-prefix", like: "owner's path", name: "vl", labels: logs, notes: include("victorialogs", "path", "/vl"), port: own, want: accepted("victorialogs", "/vl")},
	}
	for _, part := range []string{"vmagent", "vmalert"} {
		rows = append(
			rows,
			row{process: part, like: "single's chart", name: "vm", labels: single, port: port{"http", 8428, 0}, want: verdict("rejected", "")},
			row{process: part, like: "prometheus chart", name: "prometheus-server", labels: promChart, port: port{"http", 9090, 0}, want: verdict("rejected", "")},
			row{process: part, like: "none", name: "metrics", port: port{"", 8428, 0}, want: verdict("rejected", "")},
		)
	}
	return rows
}

func mimirRows() []row {
	frontend := chart("mimir", "query-frontend")
	metrics := port{name: "http-metrics"}
	cortex := want{verdict: "accepted", kind: "mimir", version: "-", path: "/prometheus"}
	return []row{
		{process: "cortex", like: "chart", name: "mimir-query-frontend", labels: frontend, port: metrics, want: cortex},
		{process: "cortex", like: "weak", name: "mimir", labels: labels{"app": "mimir"}, port: own, want: cortex},
		{process: "cortex", like: "none", name: "metrics", port: unnamed, want: cortex},
		{process: "cortex-tenants", like: "chart", name: "mimir-query-frontend", labels: frontend, port: metrics, want: verdict("unavailable", "mimir", "tenant")},
		{process: "cortex-querier", like: "chart", name: "mimir-querier", labels: chart("mimir", "querier"), port: metrics, want: verdict("unavailable", "mimir", "empty ring")},
		{process: "prom-label-proxy", like: "mimir chart", name: "mimir-query-frontend", labels: frontend, port: port{"http-metrics", 9009, 0}, want: want{verdict: "accepted", kind: "prometheus", version: "-"}},
	}
}

func lokiRows() []row {
	gateway := chart("loki", "single-binary")
	rows := []row{
		{process: "loki", like: "chart", name: "loki", labels: gateway, port: port{name: "http-metrics"}, want: accepted("loki", "")},
		{process: "loki", like: "weak", name: "loki", labels: labels{"app": "loki"}, port: own, want: accepted("loki", "")},
		{process: "loki", like: "none", name: "logs", port: unnamed, want: accepted("loki", "")},
		{process: "loki-tenants", like: "chart", name: "loki", labels: gateway, port: own, want: verdict("unavailable", "loki", "tenant")},
		{process: "loki-tenants", like: "owner's tenant", name: "loki", labels: gateway, notes: labels{"kubernaut.io/toolset-tenant": "team-a"}, port: own, want: accepted("loki", "")},
		{process: "loki-prefix", like: "chart", name: "loki", labels: gateway, port: own, want: verdict("rejected", "loki")},
		{process: "loki-prefix", like: "owner's path", name: "loki", labels: gateway, notes: labels{"kubernaut.io/toolset-path": "/lk"}, port: own, want: accepted("loki", "/lk")},
	}
	for _, part := range []string{"distributor", "ingester", "compactor", "ruler", "write", "backend"} {
		rows = append(
			rows,
			row{process: "loki-" + part, like: "chart", name: "loki-" + part, labels: chart("loki", part), port: own, want: verdict("rejected", "")},
			row{process: "loki-" + part, like: "chart, no component", name: "loki-" + part, labels: labels{appName: "loki"}, port: own, want: verdict("rejected", "")},
			row{process: "loki-" + part, like: "weak", name: "logs-" + part, labels: labels{"app": "loki"}, port: own, want: verdict("rejected", "")},
			row{process: "loki-" + part, like: "none", name: "logs", port: unnamed, want: verdict("rejected", "")},
			row{process: "loki-" + part, like: "single binary's", name: "loki", labels: gateway, port: own, want: verdict("rejected", "")},
		)
	}
	for _, part := range []string{"querier", "frontend", "read"} {
		rows = append(rows, row{process: "loki-" + part, like: "single binary's", name: "loki", labels: gateway, port: own, want: verdict("unavailable", "loki")})
	}
	return rows
}
