// Package standin holds stand-ins for the software this service looks for: HTTP handlers that answer the documented
// paths like the real product, and refuse the rest as it does. Tests and the demo use them over real listeners on
// loopback. The answers are from the product itself, its sources or its documentation.
package standin

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Kind is the software that a Backend stands in for.
type Kind string

// The software of the catalog.
const (
	Prometheus      Kind = "prometheus"
	Thanos          Kind = "thanos" // Query
	VictoriaMetrics Kind = "victoriametrics"
	VMSelect        Kind = "vmselect" // serves below /select/0/prometheus
	Mimir           Kind = "mimir"    // serves below /prometheus
	Cortex          Kind = "cortex"   // the same, and below /api/prom; has no build information
	PromLabelProxy  Kind = "prom-label-proxy"
	Grafana         Kind = "grafana"
	Loki            Kind = "loki"
	VictoriaLogs    Kind = "victorialogs"
	Elasticsearch   Kind = "elasticsearch"
	OpenSearch      Kind = "opensearch"
	Kibana          Kind = "kibana"
	Jaeger          Kind = "jaeger"
	Tempo           Kind = "tempo"
	Zipkin          Kind = "zipkin"
	Alertmanager    Kind = "alertmanager"
	MCP             Kind = "mcp"    // streamable HTTP at /mcp
	Custom          Kind = "custom" // somebody's own service, healthy at /healthz

	OpenSearchDashboards Kind = "opensearch-dashboards" // of the family of Kibana
)

// Look-alikes: what answers some of the same requests and must not be taken for one of the above.
const (
	PrometheusAgent Kind = "prometheus-agent" // passes buildinfo, cannot be queried
	Pushgateway     Kind = "pushgateway"      // passes /-/healthy and /-/ready
	ThanosStore     Kind = "thanos-store"     // passes those and buildinfo
	VMAgent         Kind = "vmagent"
	LokiPart        Kind = "loki-part"  // any part of Loki that takes no queries: passes buildinfo and /ready
	Anything        Kind = "anything"   // answers every path with 200 and a page
	Redirector      Kind = "redirector" // sends every path to Options.RedirectTo
	Hanging         Kind = "hanging"    // accepts and never answers
)

// Kinds lists all of them.
func Kinds() []Kind {
	return []Kind{
		Prometheus, Thanos, VictoriaMetrics, VMSelect, Mimir, Cortex, PromLabelProxy, Grafana, Loki, VictoriaLogs, Elasticsearch, OpenSearch,
		Kibana, Jaeger, Tempo, Zipkin, Alertmanager, MCP, Custom,
		PrometheusAgent, Pushgateway, ThanosStore, VMAgent, LokiPart, OpenSearchDashboards, Anything, Redirector, Hanging,
	}
}

// Options vary how a backend answers. The zero value is a healthy backend at the root that wants no credentials.
type Options struct {
	Version     string // the software's version; default: a recent one
	BasePath    string // e.g. /prometheus: everything is served below it
	Credentials Credentials
	Tenant      string   // X-Scope-OrgID that Mimir, Loki and Tempo insist on
	NotReady    bool     // start as not ready; see Backend.SetReady
	RedirectTo  string   // where a Redirector sends its callers
	HideVersion bool     // Grafana: do not tell it to anonymous callers
	NoData      bool     // metrics, Loki, Jaeger, Tempo 1: nothing was ever written to it
	Stores      []string // Thanos: HOST:PORT of the sidecars that it asks; default: one
	NoIngesters bool     // Cortex: its ingesters are away, so that no query is answered
}

// Request is a request as a Backend received it.
type Request struct {
	Method string
	Path   string // as sent, with the base path
	Query  string
	Host   string
	Header http.Header
	Status int
}

// Backend is a stand-in. It is safe for concurrent use.
type Backend struct {
	kind     Kind
	opts     Options
	product  product
	notReady atomic.Bool

	mu       sync.Mutex
	requests []Request
}

// product is what tells one kind of software from another.
type product struct {
	// routes are answered at exactly these paths below the base path.
	routes map[string]http.HandlerFunc
	// other answers every other path; nil means net/http's 404.
	other http.HandlerFunc
	// open paths are answered without credentials.
	open []string
	// refuse answers a request without the right credentials; nil means a plain 401.
	refuse http.HandlerFunc
	// bare answers the base path without a slash after it; nil means as with one.
	bare http.HandlerFunc
	// outside answers paths that are not below the base path; nil means 404.
	outside http.HandlerFunc
	// unavailable, if set, answers every path while not ready.
	unavailable http.HandlerFunc
	// header is on every answer.
	header map[string]string
}

// New makes the stand-in for a kind of software. An unknown kind answers 404 to everything.
func New(kind Kind, opts Options) *Backend {
	b := &Backend{kind: kind, opts: opts}
	b.opts.BasePath = strings.TrimSuffix(opts.BasePath, "/")
	b.notReady.Store(opts.NotReady)
	b.product = b.describe()
	return b
}

func (b *Backend) describe() product {
	switch b.kind {
	case Prometheus:
		return b.prometheus()
	case PrometheusAgent:
		return b.prometheusAgent()
	case Pushgateway:
		return b.pushgateway()
	case Alertmanager:
		return b.alertmanager()
	case Thanos:
		return b.thanos()
	case ThanosStore:
		return b.thanosStore()
	case VictoriaMetrics:
		return b.victoriaMetrics("")
	case VMSelect:
		return b.victoriaMetrics("/select/0/prometheus")
	case VMAgent:
		return b.vmagent()
	case Mimir:
		return b.mimir()
	case Cortex:
		return b.cortex()
	case PromLabelProxy:
		return b.promLabelProxy()
	case LokiPart:
		return b.lokiPart()
	case Grafana:
		return b.grafana()
	case Loki:
		return b.loki()
	case VictoriaLogs:
		return b.victoriaLogs()
	case Elasticsearch:
		return b.elasticsearch()
	case OpenSearch:
		return b.openSearch()
	case Kibana:
		return b.kibana()
	case OpenSearchDashboards:
		return b.openSearchDashboards()
	case Jaeger:
		return b.jaeger()
	case Tempo:
		return b.tempo()
	case Zipkin:
		return b.zipkin()
	case MCP:
		return b.mcp()
	case Custom:
		return b.custom()
	case Anything:
		return product{other: page("<!doctype html><title>Welcome</title><p>It works.")}
	case Redirector:
		return product{other: redirect(b.opts.RedirectTo)}
	case Hanging:
		return product{other: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
	}
	return product{}
}

// SetReady changes between ready and not ready, answered as the software does (most with 503).
func (b *Backend) SetReady(ready bool) { b.notReady.Store(!ready) }

// keptRequests is how many are remembered: a demonstration may run for days.
const keptRequests = 4096

// Requests are those answered so far, oldest first, as many as are remembered.
func (b *Backend) Requests() []Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	b.answer(sw, r)
	b.mu.Lock()
	if len(b.requests) == keptRequests {
		b.requests = slices.Delete(b.requests, 0, keptRequests/2)
	}
	b.requests = append(b.requests, Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Host: r.Host, Header: r.Header.Clone(), Status: sw.status,
	})
	b.mu.Unlock()
}

func (b *Backend) answer(w http.ResponseWriter, r *http.Request) {
	p := b.product
	for k, v := range p.header {
		w.Header().Set(k, v)
	}
	path, below := strings.CutPrefix(r.URL.Path, b.opts.BasePath)
	if path == "" && p.bare != nil {
		p.bare(w, r)
		return
	}
	if path == "" {
		path = "/"
	}
	below = below && strings.HasPrefix(path, "/")
	if below && b.notReady.Load() && p.unavailable != nil {
		p.unavailable(w, r)
		return
	}
	if b.opts.Credentials.wanted() && !slices.Contains(p.open, path) && !b.opts.Credentials.accept(r) {
		orElse(p.refuse, plain(http.StatusUnauthorized, "Unauthorized\n"))(w, r)
		return
	}
	if !below {
		orElse(p.outside, http.NotFound)(w, r)
		return
	}
	if h := p.routes[path]; h != nil {
		h(w, r)
		return
	}
	orElse(p.other, http.NotFound)(w, r)
}

// version is the one asked for, or the default.
func (b *Backend) version(def string) string {
	if b.opts.Version != "" {
		return b.opts.Version
	}
	return def
}

// ready answers ok, or 503 with notOK while not ready.
func (b *Backend) ready(ok, notOK string) http.HandlerFunc {
	return b.whenReady(text(ok), plain(http.StatusServiceUnavailable, notOK))
}

func (b *Backend) whenReady(yes, no http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if b.notReady.Load() {
			no(w, r)
			return
		}
		yes(w, r)
	}
}

// perTenant refuses requests without the tenant, if one is wanted, as Mimir, Loki and Tempo do.
func (b *Backend) perTenant(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if b.opts.Tenant != "" && r.Header.Get("X-Scope-OrgID") != b.opts.Tenant {
			plain(http.StatusUnauthorized, "no org id\n")(w, r)
			return
		}
		h(w, r)
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
