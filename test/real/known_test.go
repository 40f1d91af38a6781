//go:build real

package real

// known are the faults of today, by the name of the test: what is seen, as "verdict type probe", where the table wants
// something else. A test whose fault is gone fails until its line is taken out here.
var known = map[string]string{
	"base-path":                                   "rejected prometheus wrong-identity",
	"elasticsearch-7_like_opensearch":             "rejected opensearch wrong-identity",
	"elasticsearch-8_like_opensearch":             "rejected opensearch wrong-identity",
	"jaeger-odd_like_chart":                       "rejected jaeger wrong-identity",
	"jaeger-odd_like_none":                        "rejected jaeger wrong-identity",
	"opensearch_like_elastic's_chart":             "rejected elasticsearch wrong-identity",
	"opensearch_like_owner_says_elasticsearch":    "rejected elasticsearch wrong-identity",
	"opensearch_like_weak_elasticsearch":          "rejected elasticsearch wrong-identity",
	"prom-label-proxy-open_like_chart":            "rejected prometheus wrong-identity",
	"prom-label-proxy_like_chart":                 "rejected prometheus wrong-identity",
	"prom-label-proxy_like_mimir_chart":           "accepted mimir ready",
	"prometheus_like_owner_says_thanos":           "rejected thanos wrong-identity",
	"prometheus_like_thanos":                      "rejected thanos wrong-identity",
	"prometheus_like_victoriametrics":             "rejected victoriametrics wrong-identity",
	"query-only-403":                              "unavailable prometheus forbidden",
	"query-only-404":                              "rejected prometheus wrong-identity",
	"tls-short-name":                              "unavailable prometheus untrusted-tls",
	"tls-short-name_without_labels":               "unconfirmed prometheus untrusted-tls",
	"to-https":                                    "rejected prometheus wrong-identity",
	"to-https-443":                                "rejected prometheus wrong-identity",
	"to-https_without_labels":                     "rejected prometheus wrong-identity",
	"victoria-logs-prefix_like_chart":             "rejected victorialogs wrong-identity",
	"victoria-logs-prefix_like_owner's_path":      "rejected victorialogs wrong-identity",
	"victoria-logs_like_chart":                    "accepted victorialogs ready",
	"victoria-logs_like_none":                     "accepted victorialogs ready",
	"victoria-logs_like_weak":                     "accepted victorialogs ready",
	"victoria-metrics-prefix_like_chart":          "rejected victoriametrics wrong-identity",
	"victoria-metrics-prefix_like_owner's_path":   "rejected victoriametrics wrong-identity",
	"victoria-metrics_like_chart":                 "accepted victoriametrics ready",
	"victoria-metrics_like_none":                  "accepted victoriametrics ready",
	"victoria-metrics_like_operator":              "accepted victoriametrics ready",
	"victoria-metrics_like_owner_says_prometheus": "rejected prometheus wrong-identity",
	"victoria-metrics_like_prometheus_chart":      "rejected prometheus wrong-identity",
	"victoria-metrics_like_weak":                  "accepted victoriametrics ready",
	"vmauth_like_owner":                           "accepted victoriametrics ready",
	"vmauth_like_prometheus_chart":                "rejected prometheus wrong-identity",
}

// knownPairs are those of the matrix, as "verdict type".
var knownPairs = map[string]string{
	"elasticsearch-7, label of opensearch":           "rejected opensearch",
	"elasticsearch-7, port 9200 of opensearch":       "rejected opensearch",
	"elasticsearch-8, label of opensearch":           "rejected opensearch",
	"elasticsearch-8, port 9200 of opensearch":       "rejected opensearch",
	"opensearch, label of elasticsearch":             "rejected elasticsearch",
	"opensearch, port 9200 of elasticsearch":         "rejected elasticsearch",
	"prom-label-proxy, label of mimir":               "accepted mimir",
	"prom-label-proxy, label of prometheus":          "rejected prometheus",
	"prom-label-proxy, label of thanos":              "rejected thanos",
	"prom-label-proxy, label of victoriametrics":     "rejected victoriametrics",
	"prom-label-proxy, port 10902 of thanos":         "rejected thanos",
	"prom-label-proxy, port 8428 of victoriametrics": "rejected victoriametrics",
	"prom-label-proxy, port 8481 of victoriametrics": "rejected victoriametrics",
	"prom-label-proxy, port 9009 of mimir":           "accepted mimir",
	"prom-label-proxy, port 9090 of prometheus":      "rejected prometheus",
	"prometheus, label of mimir":                     "rejected mimir",
	"prometheus, label of thanos":                    "rejected thanos",
	"prometheus, label of victoriametrics":           "rejected victoriametrics",
	"prometheus, port 10902 of thanos":               "rejected thanos",
	"prometheus, port 8428 of victoriametrics":       "rejected victoriametrics",
	"prometheus, port 8481 of victoriametrics":       "rejected victoriametrics",
	"prometheus, port 9009 of mimir":                 "rejected mimir",
	"victoria-metrics, label of mimir":               "rejected mimir",
	"victoria-metrics, label of prometheus":          "rejected prometheus",
	"victoria-metrics, label of thanos":              "rejected thanos",
	"victoria-metrics, port 10902 of thanos":         "rejected thanos",
	"victoria-metrics, port 9009 of mimir":           "rejected mimir",
	"victoria-metrics, port 9090 of prometheus":      "rejected prometheus",
	"vmauth, label of mimir":                         "rejected mimir",
	"vmauth, label of prometheus":                    "rejected prometheus",
	"vmauth, label of thanos":                        "rejected thanos",
	"vmauth, port 10902 of thanos":                   "rejected thanos",
	"vmauth, port 9009 of mimir":                     "rejected mimir",
	"vmauth, port 9090 of prometheus":                "rejected prometheus",
}

// knownCalls are the products that are not in the document, or not under their URL, so that no tool reaches them: what is seen.
var knownCalls = map[string]string{
	"prom-label-proxy": "rejected: it has no build information",
}

// knownAnswers are the paths on which a stand-in differs from its product, by process.
var knownAnswers = map[string][]string{
	"alertmanager":            {"/api/v2/services"},
	"alertmanager-am":         {"/", "/am", "/am/api/v2/services"},
	"elasticsearch-8":         {"/-/healthy", "/-/ready", "/_cluster/health", "/api/echo", "/api/health", "/api/saved_objects/_find?type=dashboard&per_page=1", "/api/search?limit=1", "/api/services", "/api/status", "/api/status/buildinfo", "/api/v1/labels?limit=1", "/api/v1/query?query=count(up)", "/api/v1/status/buildinfo", "/api/v2/alerts?active=false&silenced=false&inhibited=false", "/api/v2/services", "/api/v2/status", "/health", "/info", "/loki/api/v1/labels", "/loki/api/v1/status/buildinfo", "/ready", "/select/logsql/field_names?query=*&start=5m", "/select/logsql/query?query=*&limit=1", "/status/buildinfo"},
	"jaeger-odd":              {"/", "/-/healthy", "/-/ready", "/_cat/count?format=json", "/_cluster/health", "/api/echo", "/api/health", "/api/saved_objects/_find?type=dashboard&per_page=1", "/api/search?limit=1", "/api/services", "/api/status", "/api/status/buildinfo", "/api/v1/labels?limit=1", "/api/v1/query?query=count(up)", "/api/v1/status/buildinfo", "/api/v2/alerts?active=false&silenced=false&inhibited=false", "/api/v2/services", "/api/v2/status", "/health", "/info", "/loki/api/v1/labels", "/loki/api/v1/status/buildinfo", "/ready", "/select/logsql/field_names?query=*&start=5m", "/select/logsql/query?query=*&limit=1", "/status/buildinfo"},
	"opensearch":              {"/-/healthy", "/-/ready", "/_cluster/health", "/api/echo", "/api/health", "/api/saved_objects/_find?type=dashboard&per_page=1", "/api/search?limit=1", "/api/services", "/api/status", "/api/status/buildinfo", "/api/v1/labels?limit=1", "/api/v1/query?query=count(up)", "/api/v1/status/buildinfo", "/api/v2/alerts?active=false&silenced=false&inhibited=false", "/api/v2/services", "/api/v2/status", "/health", "/info", "/loki/api/v1/labels", "/loki/api/v1/status/buildinfo", "/ready", "/select/logsql/field_names?query=*&start=5m", "/select/logsql/query?query=*&limit=1", "/status/buildinfo"},
	"victoria-logs":           {"/select/logsql/query?query=*&limit=1"},
	"victoria-metrics":        {"/api/v1/query?query=count(up)", "/ready"},
	"victoria-metrics-basic":  {"/-/healthy", "/-/ready"},
	"victoria-metrics-prefix": {"/", "/-/healthy", "/-/ready", "/_cat/count?format=json", "/_cluster/health", "/api/echo", "/api/health", "/api/saved_objects/_find?type=dashboard&per_page=1", "/api/search?limit=1", "/api/services", "/api/status", "/api/status/buildinfo", "/api/v1/labels?limit=1", "/api/v1/query?query=count(up)", "/api/v1/status/buildinfo", "/api/v2/alerts?active=false&silenced=false&inhibited=false", "/api/v2/services", "/api/v2/status", "/health", "/info", "/loki/api/v1/labels", "/loki/api/v1/status/buildinfo", "/ready", "/select/logsql/field_names?query=*&start=5m", "/select/logsql/query?query=*&limit=1", "/status/buildinfo", "/vm", "/vm/api/v1/query?query=count(up)", "/vm/ready"},
	"vmagent":                 {"/ready"},
	"zipkin":                  {"/"},
}
