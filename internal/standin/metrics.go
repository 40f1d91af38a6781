package standin

import (
	"fmt"
	"net/http"
	"strconv"
)

const notFoundText = "404 page not found\n"

func success(data any) obj { return obj{"status": "success", "data": data} }

func buildInfo(version string) obj {
	return obj{
		"version": version, "revision": "0123456789abcdef0123456789abcdef01234567", "branch": "HEAD",
		"buildUser": "root@buildkitsandbox", "buildDate": "20260301-09:30:00", "goVersion": "go1.26.0",
	}
}

func runtimeInfo(retention string) obj {
	return obj{
		"startTime": "2026-10-01T08:00:00Z", "CWD": "/prometheus", "reloadConfigSuccess": true,
		"lastConfigTime": "2026-10-01T08:00:00Z", "corruptionCount": 0, "goroutineCount": 40, "GOMAXPROCS": 2,
		"GOGC": "75", "GODEBUG": "", "storageRetention": retention,
	}
}

// instantQuery answers any query with one sample, and a request without a query as Prometheus does.
func instantQuery(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("query") == "" {
		jsonStatus(http.StatusBadRequest, obj{
			"status": "error", "errorType": "bad_data",
			"error": `invalid parameter "query": 1:1: parse error: no expression found in input`,
		})(w, r)
		return
	}
	jsonOK(success(obj{"resultType": "vector", "result": arr{
		obj{"metric": obj{"__name__": "up", "job": "prometheus"}, "value": arr{1790000000, "1"}},
	}}))(w, r)
}

// queryAPI are the read paths that Prometheus and what is compatible with it have in common.
func queryAPI(prefix string, wrap func(http.HandlerFunc) http.HandlerFunc) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		prefix + "/api/v1/query":                 wrap(instantQuery),
		prefix + "/api/v1/labels":                wrap(jsonOK(success(arr{"__name__", "job"}))),
		prefix + "/api/v1/label/__name__/values": wrap(jsonOK(success(arr{"up"}))),
		prefix + "/api/v1/series":                wrap(jsonOK(success(arr{obj{"__name__": "up", "job": "prometheus"}}))),
		prefix + "/api/v1/rules":                 wrap(jsonOK(success(obj{"groups": arr{}}))),
	}
}

// onlyReady is how Prometheus answers its API while it replays its log.
func (b *Backend) onlyReady(h http.HandlerFunc) http.HandlerFunc {
	return b.whenReady(h, plain(http.StatusServiceUnavailable, "Service Unavailable"))
}

func (b *Backend) prometheus() product {
	routes := queryAPI("", b.onlyReady)
	routes["/-/healthy"] = text("Prometheus Server is Healthy.\n")
	routes["/-/ready"] = b.ready("Prometheus Server is Ready.\n", "Service Unavailable")
	routes["/api/v1/status/buildinfo"] = b.onlyReady(jsonOK(success(buildInfo(b.version("3.5.0")))))
	routes["/api/v1/status/runtimeinfo"] = b.onlyReady(jsonOK(success(runtimeInfo("15d"))))
	routes["/"] = redirect(b.opts.BasePath + "/query")
	return product{
		routes: routes,
		refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), "Basic"),
		outside: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				redirect(b.opts.BasePath)(w, r)
				return
			}
			http.NotFound(w, r)
		},
	}
}

func (b *Backend) prometheusAgent() product {
	unavailable := jsonStatus(http.StatusUnprocessableEntity, obj{
		"status": "error", "errorType": "execution", "error": "unavailable with Prometheus Agent",
	})
	return product{routes: map[string]http.HandlerFunc{
		"/-/healthy":                 text("Prometheus Agent is Healthy.\n"),
		"/-/ready":                   b.ready("Prometheus Agent is Ready.\n", "Service Unavailable"),
		"/api/v1/status/buildinfo":   jsonOK(success(buildInfo(b.version("3.5.0")))),
		"/api/v1/status/runtimeinfo": jsonOK(success(runtimeInfo(""))),
		"/api/v1/query":              unavailable,
		"/api/v1/labels":             unavailable,
		"/api/v1/series":             unavailable,
		"/":                          redirect("/agent"),
	}}
}

func (b *Backend) pushgateway() product {
	return product{routes: map[string]http.HandlerFunc{
		"/-/healthy":      text("OK"),
		"/-/ready":        b.ready("OK", "Service Unavailable"),
		"/api/v1/metrics": jsonOK(success(arr{})),
		"/api/v1/status":  jsonOK(success(obj{"build_information": buildInfo(b.version("1.11.0"))})),
		"/":               page("<!DOCTYPE html>\n<html lang=\"en\"><head><title>Prometheus Pushgateway</title></head></html>"),
	}}
}

func (b *Backend) alertmanager() product {
	return product{
		routes: map[string]http.HandlerFunc{
			"/-/healthy": text("OK"),
			"/-/ready":   b.ready("OK", "Service Unavailable"),
			"/api/v2/status": jsonOK(obj{
				"cluster": obj{
					"name": "01JABCDEFGHJKMNPQRSTVWXYZ0", "status": "ready",
					"peers": arr{obj{"name": "01JABCDEFGHJKMNPQRSTVWXYZ0", "address": "10.0.0.7:9094"}},
				},
				"config":      obj{"original": "route:\n  receiver: default\nreceivers:\n- name: default\n"},
				"uptime":      "2026-10-01T08:00:00.000Z",
				"versionInfo": buildInfo(b.version("0.28.1")),
			}),
			"/api/v2/alerts":        jsonOK(arr{}),
			"/api/v2/alerts/groups": jsonOK(arr{}),
			"/api/v2/silences":      jsonOK(arr{}),
			"/api/v2/receivers":     jsonOK(arr{obj{"name": "default"}}),
			"/":                     page("<!DOCTYPE html>\n<html><head><title>Alertmanager</title></head></html>"),
		},
		refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), "Basic"),
	}
}

// thanosBase are the paths that every Thanos component with a page answers, the Store included.
func (b *Backend) thanosBase() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"/-/healthy":                 text("OK"),
		"/-/ready":                   b.ready("OK", "NOT OK\n"),
		"/api/v1/status/buildinfo":   jsonOK(success(buildInfo(b.version("0.39.2")))),
		"/api/v1/status/runtimeinfo": jsonOK(success(runtimeInfo(""))),
	}
}

func (b *Backend) thanos() product {
	routes := b.thanosBase()
	for path, h := range queryAPI("", func(h http.HandlerFunc) http.HandlerFunc { return h }) {
		routes[path] = h
	}
	routes["/api/v1/stores"] = jsonOK(success(obj{"sidecar": arr{obj{"name": "10.0.0.9:10901", "lastError": nil}}}))
	routes["/"] = redirect(b.opts.BasePath + "/graph")
	return product{routes: routes, refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), "Basic")}
}

func (b *Backend) thanosStore() product {
	routes := b.thanosBase()
	routes["/api/v1/blocks"] = jsonOK(success(obj{"label": "", "blocks": arr{}}))
	routes["/"] = redirect("/loaded")
	return product{routes: routes}
}

// victoriaFamily is what every part of VictoriaMetrics and VictoriaLogs does: the same health paths, and 400 for a
// path it does not know.
func (b *Backend) victoriaFamily(routes map[string]http.HandlerFunc) product {
	routes["/health"] = b.ready("OK", "The server is in delayed shutdown mode, which will end after 0s\n")
	routes["/-/healthy"] = text("VictoriaMetrics is Healthy.\n")
	routes["/-/ready"] = text("VictoriaMetrics is Ready.\n")
	return product{
		routes: routes,
		other: func(w http.ResponseWriter, r *http.Request) {
			plain(http.StatusBadRequest, "unsupported path requested: "+strconv.Quote(r.URL.Path)+"\n")(w, r)
		},
		open:   []string{"/health"},
		refuse: challenge(plain(http.StatusUnauthorized, "\n"), `Basic realm="VictoriaMetrics"`),
		header: map[string]string{"X-Server-Hostname": "victoria-0"},
	}
}

func (b *Backend) victoriaMetrics(prefix string) product {
	v := b.version("1.127.0")
	routes := queryAPI(prefix, func(h http.HandlerFunc) http.HandlerFunc { return h })
	// The version here is the one of Prometheus it claims to be compatible with, whatever its own.
	routes[prefix+"/api/v1/status/buildinfo"] = jsonOK(success(obj{"version": "2.24.0"}))
	routes["/metrics"] = text(fmt.Sprintf("vm_app_version{version=\"victoria-metrics-v%s\",short_version=\"v%s\"} 1\n", v, v))
	if prefix == "" {
		for path, h := range queryAPI("/prometheus", func(h http.HandlerFunc) http.HandlerFunc { return h }) {
			routes[path] = h
		}
		routes["/"] = page("<h2>Single-node VictoriaMetrics</h2></br>Version victoria-metrics-v" + v + "<br>")
	}
	return b.victoriaFamily(routes)
}

func (b *Backend) vmagent() product {
	return b.victoriaFamily(map[string]http.HandlerFunc{
		"/":                  page("<h2>vmagent</h2>"),
		"/api/v1/targets":    jsonOK(success(obj{"activeTargets": arr{}, "droppedTargets": arr{}})),
		"/api/v1/write":      respond(http.StatusNoContent, "text/plain", ""),
		"/service-discovery": page("<h2>vmagent</h2>"),
	})
}

func (b *Backend) mimir() product {
	info := buildInfo(b.version("2.17.0"))
	info["application"] = "Grafana Mimir"
	info["features"] = obj{"ruler_config_api": "true"}
	routes := queryAPI("/prometheus", b.perTenant)
	routes["/prometheus/api/v1/status/buildinfo"] = jsonOK(success(info))
	routes["/api/v1/status/buildinfo"] = jsonOK(success(info))
	routes["/ready"] = b.ready("ready\n", "Ingester not ready: waiting for 15s after being ready\n")
	return product{
		routes: routes,
		other:  plain(http.StatusNotFound, notFoundText),
		refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), `Basic realm="Mimir"`),
	}
}
