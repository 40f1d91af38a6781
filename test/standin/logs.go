package standin

import (
	"maps"
	"net/http"
	"strings"
)

func (b *Backend) loki() product {
	streams := jsonOK(success(obj{"resultType": "streams", "result": arr{}, "stats": obj{}}))
	labels := jsonOK(success(arr{"job"}))
	if b.opts.NoData {
		labels = jsonOK(obj{"status": "success"})
	}
	p := b.lokiPart()
	maps.Copy(p.routes, map[string]http.HandlerFunc{
		"/loki/api/v1/query_range": b.perTenant(needsQuery(streams, noExpression)),
		"/loki/api/v1/query":       b.perTenant(needsQuery(streams, noExpression)),
		"/loki/api/v1/labels":      b.perTenant(labels),
	})
	return p
}

// lokiPart is what each part of Loki has, a distributor or an ingester too.
func (b *Backend) lokiPart() product {
	info := buildInfo(b.version("3.5.3"))
	return product{
		routes: map[string]http.HandlerFunc{
			"/ready": b.ready("ready\n", "Ingester not ready: waiting for 15s after being ready\n"),
			// Unlike Prometheus's, Loki's answer has no envelope.
			"/loki/api/v1/status/buildinfo": jsonOK(info),
			"/metrics":                      text("loki_build_info{version=\"" + b.version("3.5.3") + "\"} 1\n"),
		},
		other:  plain(http.StatusNotFound, notFoundText),
		refuse: challenge(respond(http.StatusUnauthorized, "text/html", "<html><head><title>401 Authorization Required</title></head></html>\n"), `Basic realm="Loki 401"`),
	}
}

// How these programs say that the query is missing.
const (
	noExpression = "parse error : syntax error: unexpected $end"
	noArgument   = "`query` arg cannot be empty"
)

// needsQuery answers 400 where the query is missing.
func needsQuery(h http.HandlerFunc, missing string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("query") == "" {
			plain(http.StatusBadRequest, missing+"\n")(w, r)
			return
		}
		h(w, r)
	}
}

func (b *Backend) victoriaLogs() product {
	v := b.version("1.36.1")
	build := victoriaBuild("victoria-logs", v)
	p := b.victoriaFamily(map[string]http.HandlerFunc{
		"/": page("<h2>VictoriaLogs</h2></br>Version " + build + "<br>"),
		"/select/logsql/query": needsQuery(respond(http.StatusOK, "application/stream+json",
			`{"_time":"2026-10-01T08:00:00Z","_stream":"{}","_stream_id":"0000000000000000ee7199fe2aaffc49","_msg":"hello"}`+"\n"), noArgument),
		"/select/logsql/field_names": needsQuery(jsonOK(obj{"values": arr{obj{"value": "_msg", "hits": 1}}}), noArgument),
		"/select/logsql/streams":     needsQuery(jsonOK(obj{"values": arr{}}), noArgument),
		"/metrics":                   text(`vm_app_version{version="` + build + `", short_version="v` + v + "\"} 1\n"),
	})
	return p
}

func searchRoutes(root obj, health http.HandlerFunc) map[string]http.HandlerFunc {
	indices := jsonOK(arr{obj{"index": "logs-2026.10", "health": "green", "status": "open", "docs.count": "42", "store.size": "10kb"}})
	return map[string]http.HandlerFunc{
		"/":                jsonOK(root),
		"/_cluster/health": health,
		"/_cat/indices":    indices,
		"/_cat/indices/*":  indices,
		"/_cat/count":      jsonOK(arr{obj{"epoch": "1790000000", "timestamp": "13:33:20", "count": "42"}}),
		"/_search":         jsonOK(obj{"took": 1, "timed_out": false, "hits": obj{"total": obj{"value": 0, "relation": "eq"}, "hits": arr{}}}),
	}
}

// noSuchIndex takes a path for an index, and one of several parts for an operation that it does not have. Elasticsearch knows
// paths of two parts, but with another method.
func (b *Backend) noSuchIndex(w http.ResponseWriter, r *http.Request) {
	parts := strings.Count(strings.Trim(r.URL.Path, "/"), "/") + 1
	if parts == 2 && b.kind == Elasticsearch {
		text := "Incorrect HTTP method for uri [" + r.URL.RequestURI() + "] and method [" + r.Method + "], allowed: [POST]"
		jsonStatus(http.StatusMethodNotAllowed, obj{"error": text, "status": 405})(w, r)
		return
	}
	if parts > 1 {
		jsonStatus(http.StatusBadRequest, obj{"error": "no handler found for uri [" + r.URL.RequestURI() + "] and method [" + r.Method + "]"})(w, r)
		return
	}
	cause := func() obj {
		index := r.URL.Path[1:]
		return obj{
			"type": "index_not_found_exception", "reason": "no such index [" + index + "]", "resource.type": "index_or_alias",
			"resource.id": index, "index_uuid": "_na_", "index": index,
		}
	}
	answer := cause()
	answer["root_cause"] = arr{cause()}
	jsonStatus(http.StatusNotFound, obj{"error": answer, "status": 404})(w, r)
}

// clusterHealth is red while not ready, which is a 200 all the same.
func (b *Backend) clusterHealth(w http.ResponseWriter, r *http.Request) {
	status := "green"
	if b.notReady.Load() {
		status = "red"
	}
	answer := obj{
		"cluster_name": "logging", "status": status, "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
		"active_primary_shards": 3, "active_shards": 3, "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
		"delayed_unassigned_shards": 0, "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0,
		"task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 100.0,
	}
	if b.kind == OpenSearch {
		answer["discovered_master"], answer["discovered_cluster_manager"] = true, true
	}
	jsonOK(answer)(w, r)
}

func (b *Backend) elasticsearch() product {
	root := obj{
		"name": "es-0", "cluster_name": "logging", "cluster_uuid": "kX2bO0lLQ9y0aHcQ1n2WgA",
		"version": obj{
			"number": b.version("8.19.2"), "build_flavor": "default", "build_type": "docker", "build_hash": "0123abcd",
			"build_date": "2026-08-01T00:00:00.000Z", "build_snapshot": false, "lucene_version": "9.12.2",
			"minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0",
		},
		"tagline": "You Know, for Search",
	}
	schemes := []string{`Basic realm="security", charset="UTF-8"`, `Bearer realm="security"`, "ApiKey"}
	return product{
		routes: searchRoutes(root, b.clusterHealth),
		other:  b.noSuchIndex,
		header: map[string]string{"X-elastic-product": "Elasticsearch"},
		refuse: challenge(func(w http.ResponseWriter, r *http.Request) {
			reason := "missing authentication credentials for REST request [" + r.URL.Path + "]"
			cause := obj{"type": "security_exception", "reason": reason, "header": obj{"WWW-Authenticate": schemes}}
			jsonStatus(http.StatusUnauthorized, obj{
				"error":  obj{"root_cause": arr{cause}, "type": "security_exception", "reason": reason, "header": cause["header"]},
				"status": 401,
			})(w, r)
		}, schemes...),
	}
}

func (b *Backend) openSearch() product {
	root := obj{
		"name": "opensearch-0", "cluster_name": "logging", "cluster_uuid": "pQ7bO0lLQ9y0aHcQ1n2WgA",
		"version": obj{
			"distribution": "opensearch", "number": b.version("3.2.0"), "build_type": "tar", "build_hash": "0123abcd",
			"build_date": "2026-08-01T00:00:00.000Z", "build_snapshot": false, "lucene_version": "10.2.2",
			"minimum_wire_compatibility_version": "2.19.0", "minimum_index_compatibility_version": "2.0.0",
		},
		"tagline": "The OpenSearch Project: https://opensearch.org/",
	}
	return product{
		routes: searchRoutes(root, b.clusterHealth),
		other:  b.noSuchIndex,
		refuse: b.openSearchSecurity,
	}
}

// openSearchSecurity guards what OpenSearch has a handler for: another path is refused as without it.
func (b *Backend) openSearchSecurity(w http.ResponseWriter, r *http.Request) {
	if path := strings.Trim(r.URL.Path, "/"); strings.Contains(path, "/") && !strings.HasPrefix(path, "_") {
		b.noSuchIndex(w, r)
		return
	}
	challenge(plain(http.StatusUnauthorized, "Unauthorized"), `Basic realm="OpenSearch Security"`)(w, r)
}
