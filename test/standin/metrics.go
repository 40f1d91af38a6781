package standin

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
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

// instantQuery answers a number with a scalar and any other query with one sample, and a request without a query as
// Prometheus does. Where there are no series, only what needs none has a sample.
func (b *Backend) instantQuery(w http.ResponseWriter, r *http.Request) {
	query, at := r.FormValue("query"), 1790000000
	sample := obj{"metric": obj{"__name__": "up", "job": "prometheus"}, "value": arr{at, "1"}}
	result := arr{sample}
	switch {
	case query == "":
		jsonStatus(http.StatusBadRequest, obj{
			"status": "error", "errorType": "bad_data",
			"error": `invalid parameter "query": 1:1: parse error: no expression found in input`,
		})(w, r)
		return
	case query == "1" && b.kind != VictoriaMetrics && b.kind != VMSelect:
		jsonOK(success(obj{"resultType": "scalar", "result": arr{at, "1"}}))(w, r)
		return
	case query == "1", strings.HasPrefix(query, "vector("), strings.HasPrefix(query, "count("):
		sample["metric"] = obj{}
	}
	if b.opts.NoData && query != "1" && !strings.HasPrefix(query, "vector(") {
		result = arr{}
	}
	answer := success(obj{"resultType": "vector", "result": result})
	if b.kind == VictoriaMetrics || b.kind == VMSelect {
		answer["stats"] = obj{"seriesFetched": strconv.Itoa(len(result)), "executionTimeMsec": 0}
	}
	jsonOK(answer)(w, r)
}

// queryAPI are the read paths that Prometheus and what is compatible with it have in common.
func (b *Backend) queryAPI(prefix string, wrap func(http.HandlerFunc) http.HandlerFunc) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		prefix + "/api/v1/query":                 wrap(b.instantQuery),
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
	routes := b.queryAPI("", b.onlyReady)
	routes["/-/healthy"] = text("Prometheus Server is Healthy.\n")
	routes["/-/ready"] = b.ready("Prometheus Server is Ready.\n", "Service Unavailable")
	routes["/api/v1/status/buildinfo"] = b.onlyReady(jsonOK(success(buildInfo(b.version("3.5.0")))))
	routes["/api/v1/status/runtimeinfo"] = b.onlyReady(jsonOK(success(runtimeInfo("15d"))))
	routes["/api/v1/status/flags"] = b.onlyReady(jsonOK(success(obj{"agent": "false", "web.listen-address": "0.0.0.0:9090"})))
	routes["/metrics"] = ownMetrics
	routes["/"] = redirect(b.opts.BasePath + "/query")
	return product{
		routes:  routes,
		bare:    b.withSlash,
		refuse:  challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), "Basic"),
		outside: b.rootLeadsTo(b.opts.BasePath),
	}
}

// withSlash sends on from the base path to itself with a slash after it.
func (b *Backend) withSlash(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, b.opts.BasePath+"/", http.StatusMovedPermanently)
}

// rootLeadsTo answers what is outside the base path: / is a redirect, and all else is not there.
func (b *Backend) rootLeadsTo(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			redirect(to)(w, r)
			return
		}
		http.NotFound(w, r)
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
		"/metrics":                   ownMetrics,
		"/":                          redirect("/agent"),
	}}
}

func (b *Backend) pushgateway() product {
	return product{routes: map[string]http.HandlerFunc{
		"/-/healthy":      text("OK"),
		"/-/ready":        b.ready("OK", "Service Unavailable"),
		"/metrics":        ownMetrics,
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
			"/api/v1/alerts": jsonStatus(http.StatusGone, obj{"status": "deprecated",
				"error": "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use the equivalent route in the v2 API"}),
			"/metrics": ownMetrics,
			"/":        page("<!DOCTYPE html>\n<html><head><title>Alertmanager</title></head></html>"),
		},
		other: func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, b.opts.BasePath+"/api/v2/") {
				http.NotFound(w, r)
				return
			}
			jsonStatus(http.StatusNotFound, obj{"code": 404, "message": "path " + r.URL.Path + " was not found"})(w, r)
		},
		bare:    b.withSlash,
		refuse:  challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), "Basic"),
		outside: b.rootLeadsTo(b.opts.BasePath),
	}
}

// thanosPart is what every Thanos component with a page does, the Store included: its health paths are at the root whatever
// --web.route-prefix says, and everything else is below that.
func (b *Backend) thanosPart(routes map[string]http.HandlerFunc, start string) product {
	health := map[string]http.HandlerFunc{"/-/healthy": text("OK"), "/-/ready": b.ready("OK", "NOT OK\n")}
	routes["/api/v1/status/buildinfo"] = jsonOK(success(buildInfo(b.version("0.39.2"))))
	routes["/api/v1/status/runtimeinfo"] = jsonOK(success(runtimeInfo("")))
	routes["/api/v1/status/flags"] = jsonOK(success(obj{"http-address": "0.0.0.0:10902"}))
	routes["/"] = page("<!doctype html><html><head><title>Thanos | Highly available Prometheus setup</title></head></html>")
	health["/metrics"] = ownMetrics
	p := product{routes: routes, refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), "Basic")}
	if b.opts.BasePath == "" {
		maps.Copy(routes, health)
		return p
	}
	p.bare = redirect(b.opts.BasePath + start)
	p.outside = func(w http.ResponseWriter, r *http.Request) {
		orElse(health[r.URL.Path], b.rootLeadsTo(b.opts.BasePath+start))(w, r)
	}
	return p
}

func (b *Backend) thanos() product {
	routes := b.queryAPI("", func(h http.HandlerFunc) http.HandlerFunc { return h })
	stores := b.opts.Stores
	if stores == nil {
		stores = []string{"10.0.0.9:10901"}
	}
	sidecars := arr{}
	for _, name := range stores {
		sidecars = append(sidecars, obj{
			"name": name, "lastCheck": "2026-10-01T08:00:00.000000001Z", "lastError": nil,
			"labelSets": arr{obj{"prometheus": "monitoring/k8s"}}, "minTime": 1790000000000, "maxTime": 9223372036854775807,
		})
	}
	routes["/api/v1/stores"] = jsonOK(success(obj{"sidecar": sidecars}))
	if b.opts.NoData {
		routes["/api/v1/stores"] = jsonOK(success(obj{}))
	}
	return b.thanosPart(routes, "/graph")
}

func (b *Backend) thanosStore() product {
	return b.thanosPart(map[string]http.HandlerFunc{
		"/api/v1/blocks": jsonOK(success(obj{"label": "", "blocks": arr{}})),
	}, "/loaded")
}

// victoriaFamily is what every part of VictoriaMetrics and VictoriaLogs does: the same health paths, and 400 for a
// path it does not know.
func (b *Backend) victoriaFamily(routes map[string]http.HandlerFunc) product {
	routes["/health"] = b.ready("OK", "The server is in delayed shutdown mode, which will end after 0s\n")
	routes["/-/healthy"] = text("VictoriaMetrics is Healthy.\n")
	routes["/-/ready"] = text("VictoriaMetrics is Ready.\n")
	if routes["/metrics"] == nil {
		routes["/metrics"] = ownMetrics
	}
	var bare http.HandlerFunc
	if b.opts.BasePath != "" {
		bare = lead(b.opts.BasePath + "/")
	}
	return product{
		bare:   bare,
		routes: routes,
		other: func(w http.ResponseWriter, r *http.Request) {
			plain(http.StatusBadRequest, "unsupported path requested: "+strconv.Quote(r.URL.Path)+"\n")(w, r)
		},
		open:   []string{"/health", "/-/healthy", "/-/ready"},
		refuse: challenge(plain(http.StatusUnauthorized, "\n"), `Basic realm="VictoriaMetrics"`),
		header: map[string]string{"X-Server-Hostname": "victoria-0"},
		outside: func(w http.ResponseWriter, r *http.Request) { // health paths too
			plain(http.StatusBadRequest, fmt.Sprintf("missing -http.pathPrefix=%q in the requested path %q\n", b.opts.BasePath, r.URL.Path))(w, r)
		},
	}
}

// victoriaBuild is how these programs write their version.
func victoriaBuild(program, version string) string {
	return program + "-20260501-000000-tags-v" + version + "-0-gabcdef0123"
}

func (b *Backend) victoriaMetrics(prefix string) product {
	v := b.version("1.127.0")
	routes := b.queryAPI(prefix, func(h http.HandlerFunc) http.HandlerFunc { return h })
	// The version here is the one of Prometheus it claims to be compatible with, whatever its own.
	routes[prefix+"/api/v1/status/buildinfo"] = jsonOK(success(obj{"version": "2.24.0"}))
	build := victoriaBuild("victoria-metrics", v)
	routes["/ready"] = text("OK")
	routes["/metrics"] = text(fmt.Sprintf("vm_app_version{version=%q, short_version=\"v%s\"} 1\n", build, v))
	if prefix == "" {
		for path, h := range b.queryAPI("/prometheus", func(h http.HandlerFunc) http.HandlerFunc { return h }) {
			routes[path] = h
		}
		routes["/"] = page("<h2>Single-node VictoriaMetrics</h2></br>Version " + build + "<br>")
	}
	return b.victoriaFamily(routes)
}

func (b *Backend) vmagent() product {
	return b.victoriaFamily(map[string]http.HandlerFunc{
		"/":                  page("<h2>vmagent</h2>"),
		"/ready":             text("OK"),
		"/api/v1/targets":    jsonOK(success(obj{"activeTargets": arr{}, "droppedTargets": arr{}})),
		"/api/v1/write":      respond(http.StatusNoContent, "text/plain", ""),
		"/service-discovery": page("<h2>vmagent</h2>"),
	})
}

func (b *Backend) mimir() product {
	info := buildInfo(b.version("2.17.0"))
	info["application"] = "Grafana Mimir"
	info["features"] = obj{"ruler_config_api": "true"}
	p := b.multiTenant("/prometheus")
	p.routes["/prometheus/api/v1/status/buildinfo"] = jsonOK(success(info))
	p.routes["/api/v1/status/buildinfo"] = jsonOK(success(info))
	p.routes["/"] = page("<!DOCTYPE html><html><head><title>Grafana Mimir</title></head></html>")
	return p
}

func (b *Backend) cortex() product {
	p := b.multiTenant("/prometheus", "/api/prom")
	p.routes["/"] = page("<!DOCTYPE html><html><head><title>Cortex</title></head></html>")
	return p
}

// multiTenant is what Mimir and Cortex have in common; their query API is below each of the prefixes.
func (b *Backend) multiTenant(prefixes ...string) product {
	wrap := b.perTenant
	if b.opts.NoIngesters {
		away := jsonStatus(http.StatusUnprocessableEntity, obj{"status": "error", "errorType": "execution", "error": "empty ring"})
		wrap = func(http.HandlerFunc) http.HandlerFunc { return b.perTenant(away) }
	}
	routes := map[string]http.HandlerFunc{
		"/ready":   b.ready("ready\n", "Ingester not ready: waiting for 15s after being ready\n"),
		"/metrics": text("cortex_build_info{version=\"" + b.version("2.17.0") + "\"} 1\n"),
	}
	for _, prefix := range prefixes {
		maps.Copy(routes, b.queryAPI(prefix, wrap))
	}
	return product{
		routes: routes,
		other:  plain(http.StatusNotFound, notFoundText),
		refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), `Basic realm="Mimir"`),
	}
}

// promLabelProxy stands before a Prometheus and passes on its query API, limited to the series of one label, and nothing else.
func (b *Backend) promLabelProxy() product {
	routes := b.queryAPI("", func(h http.HandlerFunc) http.HandlerFunc { return h })
	routes["/healthz"] = text("ok")
	return product{routes: routes}
}
