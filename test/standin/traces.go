package standin

import (
	"net/http"
	"strings"
)

// jaeger is the query service. Its page is a single-page application: whatever is not its API is answered with that page
// and 200, /-/healthy included.
func (b *Backend) jaeger() product {
	services := []any{"checkout", "orders"}
	failing := jsonStatus(http.StatusInternalServerError, obj{
		"data": nil, "total": 0, "limit": 0, "offset": 0, "errors": arr{obj{"code": 500, "msg": "storage is not available"}},
	})
	list := func(items ...any) http.HandlerFunc { // null without an item
		return b.whenReady(jsonOK(obj{"data": items, "total": len(items), "limit": 0, "offset": 0, "errors": nil}), failing)
	}
	everything := page(`<!doctype html><html><head><title>Jaeger UI</title><base href="` + b.opts.BasePath + `/" data-inject-target="BASE_URL"/>` +
		`<script>const JAEGER_VERSION = {"gitCommit":"0123abcd","gitVersion":"v` + b.version("2.10.0") + `","buildDate":"2026-09-01T00:00:00Z"};</script></head></html>`)
	if b.opts.NoData {
		services = nil
	}
	return product{
		routes: map[string]http.HandlerFunc{
			"/api/services":                     list(services...),
			"/api/services/checkout/operations": list("GET /cart"),
			"/api/operations":                   list(obj{"name": "GET /cart", "spanKind": "server"}),
			"/api/traces":                       list(),
			"/api/dependencies":                 list(),
		},
		other:   everything,
		outside: everything,
		refuse:  challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), `Basic realm="jaeger"`),
	}
}

func (b *Backend) tempo() product {
	info := jsonOK(buildInfo(b.version("2.8.2")))
	p := product{
		routes: map[string]http.HandlerFunc{
			"/ready":                b.ready("ready\n", "Ingester not ready: waiting for 15s after being ready\n"),
			"/api/echo":             text("echo"),
			"/status/buildinfo":     info,
			"/api/status/buildinfo": info,
			"/api/search":           b.perTenant(jsonOK(obj{"traces": arr{}, "metrics": obj{"completedJobs": 1, "totalJobs": 1}})),
			"/api/v2/search/tags":   b.perTenant(jsonOK(obj{"scopes": arr{obj{"name": "resource", "tags": arr{"service.name"}}}})),
			"/api/search/tags":      b.perTenant(jsonOK(obj{"tagNames": arr{"service.name"}})),
			"/metrics":              text("tempo_build_info{version=\"" + b.version("2.8.2") + "\"} 1\n"),
		},
		other:  plain(http.StatusNotFound, notFoundText),
		refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), `Basic realm="Tempo"`),
	}
	if strings.HasPrefix(b.version("2"), "1.") { // Tempo 1
		delete(p.routes, "/api/status/buildinfo")
		delete(p.routes, "/api/v2/search/tags")
		found := obj{
			"metrics": obj{"inspectedTraces": 1, "inspectedBytes": "293", "inspectedBlocks": 1},
			"traces": arr{obj{
				"traceID": "5b8efff798038103", "rootServiceName": "checkout", "rootTraceName": "get /cart",
				"startTimeUnixNano": "1795852918000000000", "durationMs": 1,
			}},
		}
		if b.opts.NoData {
			found = obj{"metrics": obj{}}
		}
		p.routes["/api/search"] = b.perTenant(jsonOK(found))
	}
	return p
}

func (b *Backend) zipkin() product {
	health := func(status string) obj {
		return obj{"status": status, "zipkin": obj{"status": status, "details": obj{"InMemoryStorage{}": obj{"status": status}}}}
	}
	return product{
		routes: map[string]http.HandlerFunc{
			"/health":          b.whenReady(jsonOK(health("UP")), jsonStatus(http.StatusServiceUnavailable, health("DOWN"))),
			"/info":            jsonOK(obj{"zipkin": obj{"version": b.version("3.5.1"), "commit": "0123abc"}}),
			"/api/v2/services": jsonOK(arr{"checkout"}),
			"/api/v2/spans":    jsonOK(arr{}),
			"/api/v2/traces":   jsonOK(arr{}),
			"/metrics":         jsonOK(obj{"counter.zipkin_collector.spans.http": 1, "gauge.zipkin_collector.message_spans.http": 1}),
			"/config.json":     jsonOK(obj{"environment": "", "queryLimit": 10}),
			"/":                lead(b.opts.BasePath + "/zipkin/"),
			"/zipkin/":         page("<!doctype html><html><head><title>Zipkin</title></head></html>"),
		},
		refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), `Basic realm="zipkin"`),
	}
}
