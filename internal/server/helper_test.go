package server

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// unlogged is a log that nobody reads.
var unlogged = slog.New(slog.DiscardHandler)

// fixture is an API that listens.
type fixture struct {
	*API
	state    *fakeState
	services *fakeServices
	metrics  *fakeMetrics
	history  *controller.Changes
	log      *lines
	url      string
	server   *httptest.Server
	client   *http.Client // of streams, if it is not the default one
}

// start serves the example with the changes that a test makes.
func start(tb testing.TB, change ...func(*Options)) *fixture {
	tb.Helper()
	f := &fixture{
		state:   &fakeState{snapshot: example(tb), updated: make(chan struct{})},
		metrics: &fakeMetrics{}, history: &controller.Changes{}, log: &lines{},
	}
	f.services = &fakeServices{state: f.state}
	f.services.others.Store(&[]backend.Ref{{Namespace: "default", Name: "kubernetes"}, {Namespace: "shop", Name: "cart"}, {Namespace: "shop", Name: "web"}})
	types := builtin(tb)
	detector, err := detect.New(types, detect.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	o := Options{
		State: f.state, Services: f.services, Catalog: types, Detector: detector,
		History: f.history, Metrics: f.metrics, Log: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Version: "1.2.3", Target: "kubernaut-system/kubernaut-toolset-config",
	}
	for _, c := range change {
		c(&o)
	}
	if f.API, err = New(o); err != nil {
		tb.Fatal(err)
	}
	page := http.NewServeMux()
	page.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a page") })
	page.HandleFunc("/panic", func(_ http.ResponseWriter, r *http.Request) { _ = r.URL.Path[len(r.URL.Path)] })
	s := serving(tb, f.Handler(page))
	f.server, f.url = s.server, s.url
	return f
}

// serving serves a handler that is not the API's.
func serving(tb testing.TB, h http.Handler) *fixture {
	tb.Helper()
	s := httptest.NewServer(h)
	tb.Cleanup(s.Close)
	return &fixture{server: s, url: s.URL}
}

func builtin(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	types, err := catalog.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	return types
}

// finding is one as the inventory makes it.
func finding(typ, namespace, name string, v backend.Verdict, o backend.Outcome) *backend.Finding {
	s := &backend.Service{
		Ref: backend.Ref{Namespace: namespace, Name: name}, ClusterIP: "10.0.0.1",
		Labels: map[string]string{"app.kubernetes.io/name": typ, "team": "sre"},
		Ports:  []backend.Port{{Name: "http", Number: 80, Protocol: "TCP"}},
	}
	f := &backend.Finding{Ref: s.Ref, Service: s, Type: typ, Verdict: v, Reason: backend.Reason{Code: backend.CodeNotAskedYet}}
	if v == backend.Rejected {
		return f
	}
	f.Candidate = &backend.Candidate{
		Service: s, Type: typ, Instance: s.Ref.String(), Host: name + "." + namespace + ".svc.cluster.local", Scheme: "http",
		Port: s.Ports[0], PortNumber: 80, Strength: backend.Strong, Signs: []backend.Sign{{Code: backend.SignLabel, Key: "app.kubernetes.io/name", Value: typ}},
	}
	if f.Observation.Outcome = o; o != backend.Unprobed {
		f.Observation.At = time.Unix(1700000000, 0)
		f.Observation.Version = "2.0.0"
	}
	return f
}

// example is a snapshot with something of everything.
func example(tb testing.TB) *controller.Snapshot {
	tb.Helper()
	one := finding("prometheus", "monitoring", "prometheus", backend.Accepted, backend.Ready)
	one.Primary = true
	twin := finding("prometheus", "monitoring", "prometheus-headless", backend.Duplicate, backend.Unprobed)
	twin.Winner = one.Ref
	return snapshot(tb, one, twin,
		finding("prometheus", "team-a", "prometheus", backend.Accepted, backend.Unreachable),
		finding("jaeger", "tracing", "jaeger-query", backend.Accepted, backend.Ready),
		finding("grafana", "monitoring", "grafana", backend.Unavailable, backend.NotReady),
		finding("loki", "logs", "loki", backend.Unconfirmed, backend.Unprobed),
		finding("", "shop", "catalogue", backend.Rejected, backend.Unprobed),
	)
}

func snapshot(tb testing.TB, findings ...*backend.Finding) *controller.Snapshot {
	tb.Helper()
	doc, err := toolset.Build(findings, toolset.Options{
		Types: builtin(tb).Types, Baseline: []string{"kubernetes/core"}, GenerationMarker: true,
	}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	keys, err := doc.Keys()
	if err != nil {
		tb.Fatal(err)
	}
	return &controller.Snapshot{
		Findings: findings, Document: doc, Keys: keys, At: time.Unix(1700000000, 0), Discovered: true, Leading: true,
		Output: controller.Written{Keys: keys, Version: "7"},
	}
}

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask sends a request; headers are name, value, name, value.
func (f *fixture) ask(tb testing.TB, method, path string, body io.Reader, headers ...string) answer {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, f.url+path, body)
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return do(tb, r)
}

func (f *fixture) get(tb testing.TB, path string, headers ...string) answer {
	tb.Helper()
	return f.ask(tb, http.MethodGet, path, nil, headers...)
}

func do(tb testing.TB, r *http.Request) answer {
	tb.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// decode reads the body of an answer that must be 200.
func decode[T any](tb testing.TB, a answer) T {
	tb.Helper()
	var v T
	if a.code != http.StatusOK {
		tb.Fatalf("%d: %s", a.code, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		tb.Fatalf("%v in %s", err, a.body)
	}
	return v
}

// isProblem checks that an answer is a whole problem document, and returns it.
func isProblem(tb testing.TB, a answer, code int) Problem {
	tb.Helper()
	var p Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		tb.Fatalf("%d, not a problem document: %v in %q", a.code, err, a.body)
	}
	switch {
	case a.code != code || p.Status != code:
		tb.Errorf("status %d, in the body %d, want %d: %s", a.code, p.Status, code, a.body)
	case a.header.Get("Content-Type") != "application/problem+json":
		tb.Errorf("Content-Type %q", a.header.Get("Content-Type"))
	case p.RequestID == "" || p.RequestID != a.header.Get("X-Request-ID"):
		tb.Errorf("request_id %q, header %q", p.RequestID, a.header.Get("X-Request-ID"))
	case p.Type != "about:blank" || p.Title != http.StatusText(code) || p.Detail == "":
		tb.Errorf("incomplete: %s", a.body)
	case a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff":
		tb.Errorf("headers: %v", a.header)
	}
	return p
}

func names(list ServiceList) string {
	var all []string
	for _, s := range list.Services {
		all = append(all, fmt.Sprintf("%s:%s/%s", s.Verdict, s.Namespace, s.Name))
	}
	return strings.Join(all, " ")
}
