//go:build real

package real

// known are the faults of today, by the name of the test: what is seen, as "verdict type probe", where the table wants
// something else. A test whose fault is gone fails until its line is taken out here.
var known = map[string]string{}

// knownPairs are those of the matrix, as "verdict type".
var knownPairs = map[string]string{
	"prometheus, label of mimir":     "unavailable prometheus",
	"prometheus, port 9009 of mimir": "unavailable prometheus",
}

// knownCalls are the products that are not in the document, or not under their URL, so that no tool reaches them: what is seen.
var knownCalls = map[string]string{}

// knownAnswers are the paths on which a stand-in differs from its product, by process.
var knownAnswers = map[string][]string{
	"alertmanager":            {"/api/v2/services", "/metrics"},
	"alertmanager-am":         {"/am", "/am/api/v2/services", "/am/metrics"},
	"elasticsearch-8":         {"/-/healthy", "/-/ready", "/_cluster/health", "/api/echo", "/api/health", "/api/search?limit=1", "/api/services", "/api/status", "/api/v1/labels?limit=1", "/health", "/info", "/metrics", "/ready", "/status/buildinfo"},
	"jaeger-odd":              {"/api/v1/labels?limit=1"},
	"opensearch":              {"/_cluster/health", "/api/v1/labels?limit=1", "/health", "/info", "/metrics", "/ready"},
	"pushgateway":             {"/metrics"},
	"thanos-query":            {"/metrics"},
	"thanos-query-prefix":     {"/metrics", "/thanos", "/thanos/"},
	"thanos-store":            {"/metrics"},
	"victoria-logs":           {"/select/logsql/query?query=*&limit=1"},
	"victoria-metrics":        {"/ready"},
	"victoria-metrics-basic":  {"/-/healthy", "/-/ready"},
	"victoria-metrics-prefix": {"/api/v1/labels?limit=1", "/vm", "/vm/ready"},
	"vmagent":                 {"/metrics", "/ready"},
	"zipkin":                  {"/", "/metrics"},
}
