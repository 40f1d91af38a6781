package api

import (
	"testing"
)

func TestServices(t *testing.T) {
	f := start(t)
	for _, p := range []string{"/api/v1/status", "/api/v1/services?limit=2", "/api/v1/toolsets", "/api/v1/toolsets/prometheus/metrics", "/api/v1/toolsets/prometheus%2Fmetrics", "/api/v1/services/monitoring/grafana", "/api/v1/document", "/api/v1/changes", "/openapi.json", "/api/v1/services?limit=0&bla=1&verdict=x&healthy=maybe&continue=xx&verdic=2", "/api/v1/services?limit=x", "/api", "/page", "/x", "/panic", "/api/v1/toolsets/"} {
		a := f.get(t, p)
		t.Log(p, a.code, a.header, a.body)
	}
	t.Log(f.log.String())
}
