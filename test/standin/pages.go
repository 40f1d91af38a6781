package standin

import "net/http"

func (b *Backend) grafana() product {
	health := obj{"database": "ok"}
	failing := obj{"database": "failing"}
	if !b.opts.HideVersion {
		for _, h := range []obj{health, failing} {
			h["version"], h["commit"] = b.version("12.1.1"), "0123abcd"
		}
	}
	return product{
		routes: map[string]http.HandlerFunc{
			"/api/health":          b.whenReady(jsonOK(health), jsonStatus(http.StatusServiceUnavailable, failing)),
			"/healthz":             text("Ok"),
			"/api/search":          jsonOK(arr{obj{"uid": "cluster", "title": "Cluster", "type": "dash-db"}}),
			"/api/dashboards/tags": jsonOK(arr{obj{"term": "kubernetes", "count": 1}}),
			"/api/dashboards/home": jsonOK(obj{"dashboard": obj{"title": "Home"}, "meta": obj{}}),
			"/login":               page("<!DOCTYPE html><html><head><title>Grafana</title></head></html>"),
			"/":                    redirect(b.opts.BasePath + "/login"),
		},
		other: jsonStatus(http.StatusNotFound, obj{"message": "Not found", "traceID": ""}),
		// Health and the login page are for everyone, credentials or not.
		open: []string{"/api/health", "/healthz", "/login", "/"},
		refuse: jsonStatus(http.StatusUnauthorized, obj{
			"extra": nil, "message": "Unauthorized", "messageId": "auth.unauthorized", "statusCode": 401, "traceID": "",
		}),
	}
}

func (b *Backend) kibana() product {
	full := jsonOK(obj{
		"name": "kibana", "uuid": "5b2de169-2785-441b-ae8c-186a1936b17d",
		"version": obj{"number": b.version("8.19.2"), "build_hash": "0123abcd", "build_number": 87654, "build_snapshot": false},
		"status":  obj{"overall": obj{"level": "available", "summary": "All services and plugins are available"}},
	})
	return product{
		routes: map[string]http.HandlerFunc{
			// Whoever is not logged in gets the level alone.
			"/api/status": func(w http.ResponseWriter, r *http.Request) {
				if b.opts.Credentials.wanted() && !b.opts.Credentials.accept(r) {
					jsonOK(obj{"status": obj{"overall": obj{"level": "available"}}})(w, r)
					return
				}
				full(w, r)
			},
			"/api/data_views":          jsonOK(obj{"data_view": arr{}}),
			"/api/saved_objects/_find": jsonOK(obj{"page": 1, "total": 0, "saved_objects": arr{}}),
			"/":                        redirect(b.opts.BasePath + "/app/home"),
		},
		other:       jsonStatus(http.StatusNotFound, obj{"statusCode": 404, "error": "Not Found", "message": "Not Found"}),
		open:        []string{"/api/status"},
		refuse:      jsonStatus(http.StatusUnauthorized, obj{"statusCode": 401, "error": "Unauthorized", "message": "Unauthorized"}),
		unavailable: plain(http.StatusServiceUnavailable, "Kibana server is not ready yet"),
		header:      map[string]string{"kbn-name": "kibana"},
	}
}

func (b *Backend) openSearchDashboards() product {
	return product{
		routes: map[string]http.HandlerFunc{
			"/api/status": jsonOK(obj{
				"name": "dashboards", "uuid": "6b2de169-2785-441b-ae8c-186a1936b17d",
				"version": obj{"number": b.version("3.2.0"), "build_hash": "0123abcd", "build_number": 8765, "build_snapshot": false},
				"status":  obj{"overall": obj{"state": "green", "title": "Green", "nickname": "Looking good"}},
			}),
			"/api/saved_objects/_find": jsonOK(obj{"page": 1, "per_page": 1, "total": 0, "saved_objects": arr{}}),
			"/":                        redirect(b.opts.BasePath + "/app/home"),
		},
		other:       jsonStatus(http.StatusNotFound, obj{"statusCode": 404, "error": "Not Found", "message": "Not Found"}),
		refuse:      jsonStatus(http.StatusUnauthorized, obj{"statusCode": 401, "error": "Unauthorized", "message": "Authentication required"}),
		unavailable: plain(http.StatusServiceUnavailable, "OpenSearch Dashboards server is not ready yet"),
		header:      map[string]string{"osd-name": "dashboards"},
	}
}

// custom is a service that somebody annotated by hand.
func (b *Backend) custom() product {
	return product{
		routes: map[string]http.HandlerFunc{
			"/healthz":      b.ready("ok\n", "starting\n"),
			"/api/articles": jsonOK(arr{obj{"id": 1, "title": "What to do when orders pile up"}}),
		},
		refuse: challenge(plain(http.StatusUnauthorized, "Unauthorized\n"), "Bearer"),
	}
}
