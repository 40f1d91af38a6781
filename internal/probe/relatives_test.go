package probe

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// People move from one product of a family to another and keep the Service's name, labels and annotations. The responses decide
// the type, not the Service, and one try is enough.
func TestRelatives(t *testing.T) {
	t.Attr("req", "DTS-PRB-10")
	none := standin.Options{}
	prefix := func(base string) standin.Options { return standin.Options{BasePath: base} }
	selfBuilt := func(kind standin.Kind, info string) http.Handler {
		b := standin.New(kind, none)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/v1/status/buildinfo" {
				reply{body: info}.write(w)
				return
			}
			b.ServeHTTP(w, r)
		})
	}
	const noVersion = `{"status":"success","data":{"version":"","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":"go1.26.0"}}`
	prometheus := standin.New(standin.Prometheus, none)
	farPage := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // as in Debian
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/classic/graph", http.StatusFound)
			return
		}
		prometheus.ServeHTTP(w, r)
	})
	tests := []struct {
		name    string
		handler http.Handler
		labels  []string // the types that it looks like
		is      string
		path    string
	}{
		{"Prometheus", standin.New(standin.Prometheus, none), []string{"thanos", "victoriametrics", "mimir"}, "prometheus", ""},
		{"Prometheus, whose root leads to a page far below", farPage, []string{"prometheus", "thanos", "victoriametrics", "mimir"}, "prometheus", ""},
		{"Thanos Query", standin.New(standin.Thanos, none), []string{"prometheus", "victoriametrics", "mimir"}, "thanos", ""},
		{"Thanos Query, self-built", selfBuilt(standin.Thanos, noVersion), []string{"thanos", "prometheus", "victoriametrics", "mimir"}, "thanos", ""},
		{"Prometheus, self-built", selfBuilt(standin.Prometheus, noVersion), []string{"prometheus", "thanos", "victoriametrics", "mimir"}, "prometheus", ""},
		{"Thanos Query below a prefix", standin.New(standin.Thanos, prefix("/thanos")), []string{"thanos", "prometheus"}, "thanos", "/thanos"},
		{"VictoriaMetrics", standin.New(standin.VictoriaMetrics, none), []string{"prometheus", "thanos", "mimir"}, "victoriametrics", ""},
		{"VictoriaMetrics below a prefix", standin.New(standin.VictoriaMetrics, prefix("/vm")), []string{"victoriametrics"}, "victoriametrics", "/vm"},
		{"vmselect", standin.New(standin.VMSelect, none), []string{"prometheus", "thanos", "mimir"}, "victoriametrics", "/select/0/prometheus"},
		{"Mimir", standin.New(standin.Mimir, none), []string{"prometheus", "thanos", "victoriametrics"}, "mimir", "/prometheus"},
		{"Cortex", standin.New(standin.Cortex, none), []string{"prometheus", "thanos", "victoriametrics"}, "mimir", "/prometheus"},
		{"Elasticsearch", standin.New(standin.Elasticsearch, none), []string{"opensearch"}, "elasticsearch", ""},
		{"OpenSearch", standin.New(standin.OpenSearch, none), []string{"elasticsearch"}, "opensearch", ""},
	}
	p, types := newProber(t, Options{}), builtin(t)
	for _, tt := range tests {
		at := serve(t, nil, tt.handler)
		for _, label := range tt.labels {
			for _, candidate := range slices.Concat([]string{""}, types.Lookup(label).Probe.Paths) { // detection may have named any
				t.Run(tt.name+" that looks like "+label+" at "+candidate, func(t *testing.T) {
					target, c := at, *at.Candidate
					c.Type, c.Path = label, candidate
					target.Candidate, target.Type = &c, types.Lookup(label)
					got := p.Probe(t.Context(), target)
					want := observed{Outcome: backend.Ready, Identity: true, Scheme: "http", Path: tt.path, Version: got.Version}
					if slices.Contains([]string{"/prometheus"}, got.Path) && tt.name == "VictoriaMetrics" {
						want.Path = got.Path // it is at both
					}
					if tt.is != label {
						want.Type = tt.is
					}
					expect(t, got, want)
					if len(got.Requests) > maxRequests {
						t.Errorf("%d requests", len(got.Requests))
					}
				})
			}
		}
	}
}

// A connection that is lost while relatives are looked for shows none: the backend keeps the type that it looks like.
func TestLostConnectionShowsNoRelative(t *testing.T) {
	t.Attr("req", "DTS-PRB-3 DTS-PRB-10")
	p, types := newProber(t, Options{}), builtin(t)
	for _, typ := range []string{"prometheus", "thanos", "victoriametrics", "mimir", "elasticsearch", "opensearch"} {
		for answered := range 30 { // then the connection is lost, at each request that the search makes
			var n atomic.Int64
			target := serve(t, types.Lookup(typ), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) > int64(answered) {
					panic(http.ErrAbortHandler) //nolint:forbidigo // how net/http is told to cut a connection
				}
				http.NotFound(w, r)
			}))
			if o := p.Probe(t.Context(), target); o.Outcome == backend.Unreachable && o.Type != "" {
				t.Errorf("%s, after %d answers, is said to be %s", typ, answered, o.Type)
			}
		}
	}
}
