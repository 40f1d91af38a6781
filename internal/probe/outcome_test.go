package probe

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

var prometheus = products[0].answers

func TestOutcomes(t *testing.T) {
	t.Attr("req", "DTS-PRB-1 DTS-PRB-3")
	unauthorized := reply{status: 401, body: "Unauthorized\n", header: map[string]string{"WWW-Authenticate": `Basic realm="security"`}}
	tests := []struct {
		name    string
		typ     string
		answers answers
		change  func(*backend.Candidate)
		want    observed
	}{
		{"healthy, not ready", "prometheus", prometheus.with(answers{"/-/ready": {status: 503, body: "Service Unavailable"}}), nil,
			observed{Outcome: backend.NotReady, Identity: true, Version: "2.53.1", Detail: "/-/ready answers 503"}},
		{"unhealthy", "prometheus", prometheus.with(answers{"/-/healthy": {status: 500}}), nil,
			observed{Outcome: backend.NotReady, Identity: true, Version: "2.53.1"}},
		{"no identity yet", "prometheus", answers{"*": {status: 503, body: "Service Unavailable"}}, nil,
			observed{Outcome: backend.NotReady, Detail: "cannot prove now that it is Prometheus"}},
		{"cluster red", "elasticsearch", answers{"/": {body: `{"version":{"number":"8.1.0"},"tagline":"You Know, for Search"}`}, "/_cluster/health": {body: `{"status":"red"}`}, "/_cat/count": {body: "[]"}}, nil,
			observed{Outcome: backend.NotReady, Identity: true, Version: "8.1.0", Detail: "degraded: its cluster's health is red"}},
		{"grafana's database", "grafana", answers{"/api/health": {status: 503, body: `{"database":"failing","version":"11.2.0"}`}}, nil,
			observed{Outcome: backend.NotReady, Identity: true, Version: "11.2.0", Detail: "failing"}},
		{"identity refused", "elasticsearch", answers{"*": unauthorized}, nil,
			observed{Outcome: backend.AuthRequired, Detail: `Basic realm="security"`}},
		{"identity forbidden", "prometheus", answers{"*": {status: 403}}, nil,
			observed{Outcome: backend.Forbidden, Detail: "cannot prove that it is Prometheus"}},
		{"credentials wanted", "grafana", answers{"/api/health": {body: `{"database":"ok","version":"11.2.0"}`}, "/api/search": {status: 401, body: `{"message":"Unauthorized"}`}}, nil,
			observed{Outcome: backend.AuthRequired, Identity: true, Version: "11.2.0", Detail: "requires credentials"}},
		{"health refused", "elasticsearch", answers{"/": {body: `{"version":{"number":"8.1.0"},"tagline":"You Know, for Search"}`}, "/_cluster/health": unauthorized}, nil,
			observed{Outcome: backend.AuthRequired, Identity: true, Version: "8.1.0"}},
		{"tenant wanted", "mimir", answers{"/prometheus/api/v1/query": noTenant, "/prometheus/api/v1/status/buildinfo": {body: mimirInfo}}, nil,
			observed{Outcome: backend.AuthRequired, Identity: true, Path: "/prometheus", Version: "2.15.0", Detail: "X-Scope-OrgID"}},
		{"tenant wanted, no identity", "mimir", answers{"/prometheus/api/v1/query": noTenant}, nil,
			observed{Outcome: backend.AuthRequired, Path: "/prometheus"}},
		{"a relative that refuses", "elasticsearch", answers{"*": {status: 401, header: map[string]string{"WWW-Authenticate": `Basic realm="OpenSearch Security"`}}}, nil,
			observed{Outcome: backend.AuthRequired, Type: "opensearch", Detail: "OpenSearch"}},
		{"grafana behind a prometheus label", "prometheus", products[10].answers, nil,
			observed{Outcome: backend.WrongIdentity, Detail: `a web page titled "Grafana"`}},
		{"health path", "prometheus", prometheus.with(answers{"/-/healthy": {status: 500}, "/alive": {status: 204}}), func(c *backend.Candidate) { c.HealthPath = "/alive" },
			observed{Outcome: backend.Ready, Identity: true, Version: "2.53.1"}},
		{"bad health path", "prometheus", prometheus, func(c *backend.Candidate) { c.HealthPath = "/alive" },
			observed{Outcome: backend.NotReady, Identity: true, Version: "2.53.1", Detail: "/alive answers 404"}},
		{"health path, no identity", "prometheus", answers{"/alive": {}}, func(c *backend.Candidate) { c.HealthPath = "/alive" },
			observed{Outcome: backend.WrongIdentity}},
		{"unproven", "prometheus", answers{}, func(c *backend.Candidate) { c.Unproven = true },
			observed{Outcome: backend.Unprobed, Detail: "annotation"}},
		{"custom", "", answers{"*": {status: 404}}, nil, observed{Outcome: backend.Ready}},
		{"custom refuses", "", answers{"*": {status: 401}}, nil, observed{Outcome: backend.Ready}},
		{"custom fails", "", answers{"*": {status: 500}}, nil, observed{Outcome: backend.NotReady, Detail: "500"}},
		{"custom's health path", "", answers{"/up": {status: 503}, "*": {}}, func(c *backend.Candidate) { c.HealthPath = "/up" },
			observed{Outcome: backend.NotReady, Detail: "503"}},
		{"custom below a path", "", answers{"/kb": {}, "*": {status: 500}}, func(c *backend.Candidate) { c.Path = "/kb" },
			observed{Outcome: backend.Ready, Path: "/kb"}},
		{"mcp", "", answers{"/mcp": {status: 405}, "*": {status: 500}}, func(c *backend.Candidate) { c.Type, c.Path = backend.TypeMCP, "/mcp" },
			observed{Outcome: backend.Ready, Path: "/mcp"}},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := serve(t, nil, tt.answers)
			if tt.typ != "" {
				target.Type = lookupType(t, tt.typ)
			}
			if tt.change != nil {
				tt.change(target.Candidate)
			}
			got := p.Probe(t.Context(), target)
			tt.want.Scheme = "http"
			expect(t, got, tt.want)
			if probed := tt.want.Outcome != backend.Unprobed; probed == got.At.IsZero() || probed != (len(got.Requests) > 0) {
				t.Errorf("at %v with %d requests", got.At, len(got.Requests))
			}
		})
	}
}

// An MCP server answers a GET with a stream that has no end.
func TestEndlessStreamIsReady(t *testing.T) {
	t.Attr("req", "DTS-PRB-1")
	target := serve(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	target.Candidate.Type = backend.TypeMCP
	expect(t, newProber(t, Options{}).Probe(t.Context(), target), observed{Outcome: backend.Ready, Scheme: "http"})
}

func TestUnreachable(t *testing.T) {
	t.Attr("req", "DTS-PRB-3")
	typ := lookupType(t, "prometheus")
	tests := []struct {
		cause  string
		detail string
		target func(t *testing.T) Target
	}{
		{causeRefused, "nothing listens", func(t *testing.T) Target {
			target := raw(t, typ, func(net.Conn) {}) // which keeps the port from others
			target.Candidate.Service.ClusterIP = "127.9.9.9"
			return target
		}},
		{causeTimeout, "within 300ms", func(t *testing.T) Target {
			return raw(t, typ, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		}},
		{backend.CauseReset, "connection reset by", func(t *testing.T) Target {
			return raw(t, typ, func(c net.Conn) {
				_, _ = c.Read(make([]byte, 1))
				_ = c.(*net.TCPConn).SetLinger(0)
			})
		}},
		{backend.CauseClosed, "closed the connection", func(t *testing.T) Target {
			return raw(t, typ, func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) })
		}},
		{causeDNS, "DNS does not resolve", func(t *testing.T) Target {
			target := raw(t, typ, func(net.Conn) {})
			target.Candidate.Service.ClusterIP = ""
			target.Candidate.Host = strings.Repeat("x", 64) + ".invalid" // too long a label: no server is asked
			return target
		}},
		{causeTimeout, "within 300ms", func(t *testing.T) Target { // a body that drips
			return serve(t, typ, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for range 100 {
					if _, err := io.WriteString(w, "{"); err != nil {
						return
					}
					_ = http.NewResponseController(w).Flush()
					select {
					case <-r.Context().Done():
						return
					case <-time.After(50 * time.Millisecond):
					}
				}
			}))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.cause, func(t *testing.T) {
			o := Options{Timeout: time.Minute}
			if tt.cause == causeTimeout {
				o.Timeout = 300 * time.Millisecond
			}
			got := newProber(t, o).Probe(t.Context(), tt.target(t))
			expect(t, got, observed{Outcome: backend.Unreachable, Cause: tt.cause, Scheme: "http", Detail: tt.detail})
		})
	}
}

func TestEndpointsDecideFirst(t *testing.T) {
	t.Attr("req", "DTS-PRB-4")
	addr := netip.MustParseAddr("10.1.2.3")
	tests := []struct {
		name      string
		endpoints *backend.Endpoints
		want      backend.Outcome
	}{
		{"unknown", nil, backend.Ready},
		{"ready", &backend.Endpoints{Slices: []backend.EndpointSlice{{Ready: []netip.Addr{addr}}}}, backend.Ready},
		{"no slice", &backend.Endpoints{}, backend.NoEndpoints},
		{"none ready", &backend.Endpoints{Slices: []backend.EndpointSlice{{NotReady: []netip.Addr{addr}}}}, backend.NoEndpoints},
		{"names only", &backend.Endpoints{FQDN: true}, backend.NoEndpoints},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int32
			target := serve(t, nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
			target.Endpoints = tt.endpoints
			expect(t, p.Probe(t.Context(), target), observed{Outcome: tt.want, Scheme: "http"})
			if asked := requests.Load() > 0; asked != (tt.want == backend.Ready) {
				t.Errorf("%d requests were made", requests.Load())
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// via answers requests without a network, so that synctest's clock turns.
func via(h http.Handler) func(*backend.Candidate) http.RoundTripper {
	return func(*backend.Candidate) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			res := w.Result()
			res.Request = httptest.NewRequest(http.MethodGet, "https://api.example:6443/", http.NoBody) // as the service proxy sends it
			return res, nil
		})
	}
}

func TestTries(t *testing.T) {
	t.Attr("req", "DTS-PRB-1")
	ready := reply{body: "fine"}
	starting := reply{status: 503}
	tests := []struct {
		name    string
		tries   int
		answers []reply // the last one goes on
		want    backend.Outcome
		waits   []time.Duration
	}{
		{"at once", 3, []reply{ready}, backend.Ready, nil},
		{"second try", 3, []reply{starting, ready}, backend.Ready, []time.Duration{time.Second}},
		{"never", 3, []reply{starting}, backend.NotReady, []time.Duration{time.Second, 2 * time.Second}},
		{"waits are bounded", 7, []reply{starting}, backend.NotReady, []time.Duration{1e9, 2e9, 4e9, 8e9, 10e9, 10e9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				answers := tt.answers
				p := newProber(t, Options{Tries: tt.tries, RoundTripper: via(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					at = append(at, time.Now())
					answers[0].write(w)
					if len(answers) > 1 {
						answers = answers[1:]
					}
				}))})
				got := p.Probe(t.Context(), targetFor(nil))
				if got.Outcome != tt.want || len(got.Requests) != len(at) {
					t.Errorf("%s after %d requests of %d: %s", got.Outcome, len(got.Requests), len(at), said(got))
				}
				var waits []time.Duration
				for i := 1; i < len(at); i++ {
					waits = append(waits, at[i].Sub(at[i-1]))
				}
				if !slices.Equal(waits, tt.waits) {
					t.Errorf("waits %v, want %v", waits, tt.waits)
				}
			})
		})
	}
}

// A failure that is not temporary is not tried again.
func TestNoSecondTry(t *testing.T) {
	t.Attr("req", "DTS-PRB-1")
	for name, answers := range map[string]answers{
		"wrong identity": {},
		"auth required":  {"*": {status: 401}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				p := newProber(t, Options{Tries: 3, RoundTripper: via(answers)})
				got := p.Probe(t.Context(), targetFor(lookupType(t, "grafana")))
				if took := time.Since(begin); took != 0 || strings.Contains(string(got.Outcome), "ready") {
					t.Errorf("%s after %s", got.Outcome, took)
				}
			})
		})
	}
}

func TestStopped(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		p := newProber(t, Options{Tries: 3, RoundTripper: via(answers{"*": {status: 503}})})
		got := p.Probe(ctx, targetFor(nil))
		if got.Outcome != backend.Unprobed || len(got.Requests) != 2 || !got.At.IsZero() {
			t.Errorf("got %s, %d requests", got.Outcome, len(got.Requests))
		}
	})
}

func TestNewRefuses(t *testing.T) {
	t.Attr("req", "DTS-CFG-1")
	for _, opts := range []Options{
		{Timeout: -1}, {Tries: -1}, {Concurrency: -1}, {DenyCIDRs: []netip.Prefix{{}}},
		{DenyCIDRs: []netip.Prefix{netip.MustParsePrefix("::ffff:0:0/90")}},
	} {
		if _, err := New(opts); err == nil {
			t.Errorf("New(%+v) gives no error", opts)
		}
	}
}
