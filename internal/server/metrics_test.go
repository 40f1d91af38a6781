package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// scrape gets the metrics over HTTP: series -> value, of this service's own.
func scrape(t *testing.T, m *Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /metrics = %d: %s", w.Code, w.Body)
	}
	series := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			series[name] = value
		}
	}
	return series
}

// only keeps the series of one metric.
func only(series map[string]string, metric string) map[string]string {
	kept := map[string]string{}
	for name, value := range series {
		if rest, ok := strings.CutPrefix(name, metricPrefix+metric); ok && (rest == "" || rest[0] == '{') {
			kept[rest] = value
		}
	}
	return kept
}

// touch gives every metric a series.
func touch(m *Metrics) {
	m.Discovered("prometheus")
	m.Request("/api/v1/toolsets", 200, time.Millisecond)
	m.Cycle(&controller.Snapshot{
		Findings: []*backend.Finding{accepted("prometheus", "metrics", backend.Ready)},
		Document: &toolset.Document{
			HolmesGPT: map[string]any{"toolsets": map[string]any{"prometheus/metrics": map[string]any{}}},
			Tokens:    map[string]int{"prometheus/metrics": 1},
		},
	})
	m.Agent(func() agent.State {
		return agent.State{Replicas: []agent.Replica{{URL: "http://10.0.0.1:5050", Outcome: agent.Loaded}}}
	})
}

func accepted(typ, instance string, o backend.Outcome) *backend.Finding {
	return &backend.Finding{
		Type: typ, Verdict: backend.Accepted, Candidate: &backend.Candidate{Type: typ, Instance: instance},
		Observation: backend.Observation{Outcome: o},
	}
}

// The names are the specification's, and leader beside them; alerts and dashboards depend on them.
func TestNames(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	want := []string{
		"agent_generation_current{replica} gauge", "agent_replicas{outcome} gauge", "agent_toolsets{status} gauge",
		"backends_left_out{limit} gauge", // beside the specification's
		"build_info{version,goversion} gauge",
		"change_to_agent_seconds{} histogram",
		"change_to_publish_seconds{} histogram",
		"configmap_drift_detected_total{} counter",
		"configmap_reconcile_total{result} counter",
		"configmap_size_bytes{} gauge",
		"detector_errors_total{detector} counter",
		"discovery_duration_seconds{phase} histogram",
		"health_check_failures_total{service_type,reason} counter",
		"http_request_duration_seconds{endpoint} histogram",
		"http_requests_total{endpoint,code} counter",
		"leader{} gauge",
		"overrides_valid{} gauge",
		"reconciliation_errors_total{operation} counter",
		"services{type,state} gauge",
		"services_discovered_total{type} counter",
		"services_withdrawn_total{type} counter", // beside the specification's
		"toolset_healthy{name} gauge",
		"toolset_tokens{toolset} gauge",
	}
	m := NewMetrics("1.2.3", []string{"prometheus", "grafana"})
	var got []string
	for _, d := range m.Describe() {
		name, ok := strings.CutPrefix(d.Name, "dynamictoolset_")
		if !ok {
			t.Errorf("%s lacks the prefix", d.Name)
		}
		got = append(got, fmt.Sprintf("%s{%s} %s", name, strings.Join(d.Labels, ","), d.Type))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// What Describe says is what is served, and promlint has no complaint.
func TestDescribeIsServed(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	m := NewMetrics("1.2.3", []string{"prometheus", "grafana"})
	touch(m)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []Metric
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), metricPrefix) {
			continue
		}
		d := Metric{Name: f.GetName(), Type: strings.ToLower(f.GetType().String()), Help: f.GetHelp()}
		for _, l := range f.GetMetric()[0].GetLabel() {
			d.Labels = append(d.Labels, l.GetName())
		}
		got = append(got, d)
	}
	want := m.Describe()
	for i := range want {
		slices.Sort(want[i].Labels) // as they are served
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("served (-described +served):\n%s", diff)
	}
	if problems, err := testutil.GatherAndLint(m.registry); err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
}

// rate() over a counter that first appears with 1 misses that one.
func TestKnownSeriesStartAtZero(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	series := scrape(t, NewMetrics("1.2.3", []string{"prometheus", "grafana"}))
	for _, s := range []string{
		`services_discovered_total{type="prometheus"}`,
		`services_discovered_total{type="custom"}`,
		`services_discovered_total{type="mcp"}`,
		`configmap_drift_detected_total`,
		`configmap_reconcile_total{result="unchanged"}`,
		`reconciliation_errors_total{operation="apply"}`,
		`detector_errors_total{detector="grafana"}`,
		`health_check_failures_total{reason="refused",service_type="grafana"}`,
		`discovery_duration_seconds_count{phase="probe"}`,
		`change_to_publish_seconds_count`,
	} {
		if got := series[metricPrefix+s]; got != "0" {
			t.Errorf("%s = %q at the start, want 0", s, got)
		}
	}
	if got := series[metricPrefix+"overrides_valid"]; got != "1" {
		t.Errorf("overrides_valid = %q without overrides, want 1", got)
	}
	if got := len(only(series, "build_info")); got != 1 || series["go_goroutines"] == "" || series["process_resident_memory_bytes"] == "" {
		t.Errorf("build_info has %d series, want 1, beside those of the Go runtime and of the process", got)
	}
}

func TestCounts(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	m := NewMetrics("1.2.3", []string{"prometheus", "grafana"})
	m.Discovered("prometheus")
	m.Discovered("ticket-system") // a user's own
	m.Discovered("wiki")
	m.BadAnnotation("wiki")
	m.Error(OperationEvent)
	m.Error("no such operation")
	check := func(typ string, o backend.Observation, took time.Duration) {
		m.Checked(&backend.Candidate{Type: typ}, &o, took)
	}
	check("grafana", backend.Observation{Outcome: backend.Unreachable, Cause: "timeout"}, time.Second)
	check("grafana", backend.Observation{Outcome: backend.Unreachable, Cause: "a new one"}, time.Second)
	check("wiki", backend.Observation{Outcome: backend.WrongIdentity}, time.Second)
	check("grafana", backend.Observation{Outcome: backend.Ready}, time.Second)
	m.Request("/api/v1/services/{namespace}/{name}", 404, 2*time.Millisecond)
	m.Request("", 404, time.Millisecond)
	write := func(err error, bytes int, w controller.Write) {
		w.Bytes = bytes
		m.Cycle(&controller.Snapshot{
			Took:  controller.Times{Detect: time.Second, Build: time.Second, Publish: time.Second, Total: 3 * time.Second},
			Write: &w, Err: err, Document: new(toolset.Document), Overrides: err,
		})
	}
	drift := func(n int) publish.Result { return publish.Result{Written: true, Drifted: make([]publish.Drift, n)} }
	write(nil, 300, controller.Write{Result: drift(3)})
	created := drift(2) // by one deletion
	created.Created = true
	write(nil, 512, controller.Write{Result: created})
	write(nil, 512, controller.Write{Result: publish.Result{Written: true}, Waited: 20 * time.Millisecond})
	write(nil, 512, controller.Write{})
	write(nil, 512, controller.Write{Result: publish.Result{Held: make([]string, 1)}})
	write(publish.ErrSuperseded, 0, controller.Write{})
	write(publish.NewError(publish.OpRestore, "refused", publish.ErrConflict), 0, controller.Write{})
	write(publish.NewError(publish.OpPrune, "refused", publish.ErrImmutable), 0, controller.Write{})
	write(publish.ErrTooLarge, 0, controller.Write{})
	write(errors.New("away"), 0, controller.Write{})

	series := scrape(t, m)
	for name, want := range map[string]string{
		`services_discovered_total{type="prometheus"}`:     "1",
		`services_discovered_total{type="custom"}`:         "2",
		`configmap_reconcile_total{result="repaired"}`:     "1",
		`configmap_reconcile_total{result="created"}`:      "1",
		`configmap_reconcile_total{result="updated"}`:      "1",
		`configmap_reconcile_total{result="unchanged"}`:    "1",
		`configmap_reconcile_total{result="deferred"}`:     "1",
		`configmap_reconcile_total{result="conflict"}`:     "2",
		`configmap_reconcile_total{result="immutable"}`:    "1",
		`configmap_reconcile_total{result="too_large"}`:    "1",
		`configmap_reconcile_total{result="error"}`:        "1",
		`configmap_drift_detected_total`:                   "4",
		`configmap_size_bytes`:                             "512",
		`detector_errors_total{detector="custom"}`:         "1",
		`reconciliation_errors_total{operation="restore"}`: "1",
		`reconciliation_errors_total{operation="prune"}`:   "1",
		`reconciliation_errors_total{operation="apply"}`:   "2",
		`reconciliation_errors_total{operation="event"}`:   "1",
		`reconciliation_errors_total{operation="other"}`:   "1",
		`overrides_valid`: "0",
		`discovery_duration_seconds_sum{phase="probe"}`:                                       "4",
		`discovery_duration_seconds_sum{phase="total"}`:                                       "30",
		`discovery_duration_seconds_count{phase="publish"}`:                                   "10",
		`change_to_publish_seconds_sum`:                                                       "0.02",
		`http_requests_total{code="404",endpoint="/api/v1/services/{namespace}/{name}"}`:      "1",
		`http_requests_total{code="404",endpoint="other"}`:                                    "1",
		`http_request_duration_seconds_count{endpoint="/api/v1/services/{namespace}/{name}"}`: "1",
		`health_check_failures_total{reason="timeout",service_type="grafana"}`:                "1",
		`health_check_failures_total{reason="other",service_type="grafana"}`:                  "1",
		`health_check_failures_total{reason="wrong-identity",service_type="custom"}`:          "1",
	} {
		if got := series[metricPrefix+name]; got != want {
			t.Errorf("%s = %q, want %s", name, got, want)
		}
	}
	m.Cycle(&controller.Snapshot{Err: errors.New("no document")})
	series = scrape(t, m)
	if got := series[metricPrefix+`reconciliation_errors_total{operation="build"}`]; got != "1" {
		t.Errorf("a document that cannot be built: %q", got)
	}
	if got := series[metricPrefix+"overrides_valid"]; got != "1" {
		t.Errorf("overrides that are valid again: %q", got)
	}
}

func TestGaugesShowTheLastSnapshot(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	m := NewMetrics("1.2.3", []string{"prometheus"})
	rejected := func(typ string, v backend.Verdict, n int) []*backend.Finding {
		return slices.Repeat([]*backend.Finding{{Type: typ, Verdict: v}}, n)
	}
	left := &backend.Finding{Type: "prometheus", Verdict: backend.Unavailable, Reason: backend.Reason{Code: backend.CodeNamespaceBackends}}
	m.Cycle(&controller.Snapshot{Findings: slices.Concat(
		[]*backend.Finding{accepted("prometheus", "metrics", backend.Ready), accepted("custom", "a\xffb", backend.NotReady), left},
		rejected("wiki", backend.Rejected, 1), rejected("tickets", backend.Rejected, 3), // a user's own types are one series
		rejected("", backend.Rejected, 9), rejected("prometheus", "a new verdict", 1),
	)})
	check := func(step string, metrics map[string]map[string]string) {
		t.Helper()
		series := scrape(t, m)
		for name, want := range metrics {
			if diff := cmp.Diff(want, only(series, name)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", step, name, diff)
			}
		}
	}
	check("first", map[string]map[string]string{
		"services": {
			`{state="accepted",type="prometheus"}`:    "1",
			`{state="accepted",type="custom"}`:        "1",
			`{state="unavailable",type="prometheus"}`: "1",
			`{state="rejected",type="custom"}`:        "4",
			`{state="rejected",type="none"}`:          "9",
			`{state="other",type="prometheus"}`:       "1",
		},
		"toolset_healthy":   {`{name="prometheus/metrics"}`: "1", `{name="custom/a` + "\ufffd" + `b"}`: "0"},
		"backends_left_out": {`{limit="namespace"}`: "1", `{limit="size"}`: "0"},
	})
	m.Cycle(&controller.Snapshot{Findings: []*backend.Finding{accepted("prometheus", "metrics", backend.Unreachable)}})
	check("second", map[string]map[string]string{
		"services":          {`{state="accepted",type="prometheus"}`: "1"},
		"toolset_healthy":   {`{name="prometheus/metrics"}`: "0"},
		"backends_left_out": {`{limit="namespace"}`: "0", `{limit="size"}`: "0"},
	})
}

// Which replica writes is a metric; a dry run does not write.
func TestLeaderIsMeasured(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-6")
	m := NewMetrics("test", nil)
	for _, step := range []struct {
		s    controller.Snapshot
		want string
	}{
		{controller.Snapshot{}, "0"}, {controller.Snapshot{Leading: true}, "1"}, {controller.Snapshot{}, "0"},
		{controller.Snapshot{Leading: true, DryRun: true}, "0"},
	} {
		m.Cycle(&step.s)
		if got := scrape(t, m)[metricPrefix+"leader"]; got != step.want {
			t.Errorf("leading %t, dry run %t: %q", step.s.Leading, step.s.DryRun, got)
		}
	}
}

// Whoever names Services must not be able to make series.
func TestLabelsAreBounded(t *testing.T) {
	t.Attr("req", "DTS-MET-1 DTS-SEC-3")
	m := NewMetrics("1.2.3", []string{"prometheus"})
	before := len(scrape(t, m))
	for i := range 5000 {
		text := fmt.Sprintf("{{ %d \n\xff", i)
		m.Discovered(text)
		m.BadAnnotation(text)
		m.Checked(&backend.Candidate{Type: text}, &backend.Observation{Outcome: backend.Outcome(text), Cause: text}, 0)
		m.Checked(&backend.Candidate{Type: text}, &backend.Observation{Outcome: backend.Unreachable, Cause: text}, 0)
		m.Error(text)
		m.Cycle(&controller.Snapshot{
			Findings: []*backend.Finding{{Type: text, Verdict: backend.Verdict(text)}},
			Write:    new(controller.Write), Err: publish.NewError(publish.Op(text), text, errors.New(text)),
		})
	}
	if got, limit := len(scrape(t, m))-before, 30; got > limit {
		t.Errorf("%d new series, want at most %d", got, limit)
	}
}

// Owners of Services name HTTP toolsets: these count by their type.
func TestToolsetTokens(t *testing.T) {
	t.Attr("req", "DTS-MET-1 DTS-OUT-12")
	web := map[string]any{"config": map[string]any{"endpoints": []any{}}}
	m := NewMetrics("test", []string{"jaeger"})
	m.Cycle(&controller.Snapshot{Document: &toolset.Document{
		HolmesGPT: map[string]any{"toolsets": map[string]any{"kubernetes/core": map[string]any{}, "jaeger/a/b": web, "custom/a/b": web, "wiki/c/d": web}},
		Tokens:    map[string]int{"kubernetes/core": 1600, "jaeger/a/b": 855, "custom/a/b": 600, "wiki/c/d": 700},
	}})
	want := map[string]string{`{toolset="kubernetes/core"}`: "1600", `{toolset="jaeger"}`: "855", `{toolset="custom"}`: "1300"}
	if diff := cmp.Diff(want, only(scrape(t, m), "toolset_tokens")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
