package metrics

import (
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

	"kubernaut.io/dynamic-toolset/internal/backend"
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
		if rest, ok := strings.CutPrefix(name, prefix+metric); ok && (rest == "" || rest[0] == '{') {
			kept[rest] = value
		}
	}
	return kept
}

// touch gives every metric a series.
func touch(m *Metrics) {
	m.Discovered("prometheus")
	m.Phase(PhaseTotal, time.Second)
	m.Reconciled(ResultUpdated)
	m.Drift(1)
	m.Size(1000)
	m.Request("/api/v1/toolsets", 200, time.Millisecond)
	m.CheckFailed("prometheus", backend.Observation{Outcome: backend.NotReady})
	m.DetectorError("grafana")
	m.Error(OperationApply)
	m.Published(time.Millisecond)
	m.Show(Snapshot{
		Services: map[Group]int{{"prometheus", backend.Accepted}: 1},
		Toolsets: map[string]bool{"prometheus/metrics": true},
	})
}

// The names are the specification's, and leader beside them; alerts and dashboards depend on them.
func TestNames(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	want := []string{
		"backends_left_out{limit} gauge", // beside the specification's
		"build_info{version,goversion} gauge",
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
		"toolset_healthy{name} gauge",
	}
	m := New("1.2.3", []string{"prometheus", "grafana"})
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

// What Describe says is what is served.
func TestDescribeIsServed(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	m := New("1.2.3", []string{"prometheus", "grafana"})
	touch(m)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []Metric
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), prefix) {
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
}

func TestLint(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	m := New("1.2.3", []string{"prometheus", "grafana"})
	touch(m)
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// rate() over a counter that first appears with 1 misses that one.
func TestKnownSeriesStartAtZero(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	series := scrape(t, New("1.2.3", []string{"prometheus", "grafana"}))
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
		if got := series[prefix+s]; got != "0" {
			t.Errorf("%s = %q at the start, want 0", s, got)
		}
	}
	if got := series[prefix+"overrides_valid"]; got != "1" {
		t.Errorf("overrides_valid = %q without overrides, want 1", got)
	}
	if got := len(only(series, "build_info")); got != 1 {
		t.Errorf("build_info has %d series, want 1", got)
	}
}

func TestGoAndProcessCollectors(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	series := scrape(t, New("1.2.3", nil))
	for _, s := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if series[s] == "" {
			t.Errorf("%s is missing", s)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	m := New("1.2.3", []string{"prometheus", "grafana"})
	m.Discovered("prometheus")
	m.Discovered("ticket-system") // a user's own
	m.Discovered("wiki")
	m.Reconciled(ResultRepaired)
	m.Reconciled("no such result")
	m.Drift(3)
	m.Drift(-1)
	m.Size(512)
	m.DetectorError("wiki")
	m.Error(OperationRestore)
	m.Error("no such operation")
	m.OverridesValid(false)
	m.Leading(true)
	m.Phase(PhaseProbe, 3*time.Second)
	m.Published(20 * time.Millisecond)
	m.Request("/api/v1/services/{namespace}/{name}", 404, 2*time.Millisecond)
	m.Request("", 99, time.Millisecond)
	m.CheckFailed("grafana", backend.Observation{Outcome: backend.Unreachable, Cause: "timeout"})
	m.CheckFailed("grafana", backend.Observation{Outcome: backend.Unreachable, Cause: "a new one"})
	m.CheckFailed("wiki", backend.Observation{Outcome: backend.WrongIdentity})

	series := scrape(t, m)
	for name, want := range map[string]string{
		`services_discovered_total{type="prometheus"}`:                                              "1",
		`services_discovered_total{type="custom"}`:                                                  "2",
		`configmap_reconcile_total{result="repaired"}`:                                              "1",
		`configmap_reconcile_total{result="other"}`:                                                 "1",
		`configmap_drift_detected_total`:                                                            "3",
		`configmap_size_bytes`:                                                                      "512",
		`detector_errors_total{detector="custom"}`:                                                  "1",
		`reconciliation_errors_total{operation="restore"}`:                                          "1",
		`reconciliation_errors_total{operation="other"}`:                                            "1",
		`overrides_valid`:                                                                           "0",
		`discovery_duration_seconds_sum{phase="probe"}`:                                             "3",
		`change_to_publish_seconds_sum`:                                                             "0.02",
		`http_requests_total{code="404",endpoint="/api/v1/services/{namespace}/{name}"}`:            "1",
		`http_requests_total{code="other",endpoint="other"}`:                                        "1",
		`http_request_duration_seconds_count{endpoint="/api/v1/services/{namespace}/{name}"}`:       "1",
		`health_check_failures_total{reason="timeout",service_type="grafana"}`:                      "1",
		`health_check_failures_total{reason="other",service_type="grafana"}`:                        "1",
		`health_check_failures_total{reason="` + "wrong-identity" + `",service_type="` + `custom"}`: "1",
		`leader`: "1",
	} {
		if got := series[prefix+name]; got != want {
			t.Errorf("%s = %q, want %s", name, got, want)
		}
	}
}

func TestShowReplaces(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	m := New("1.2.3", []string{"prometheus"})
	m.Show(Snapshot{
		Services: map[Group]int{
			{"prometheus", backend.Accepted}: 2,
			{"wiki", backend.Rejected}:       1, // two of a user's own types are one series
			{"tickets", backend.Rejected}:    3,
			{"", backend.Rejected}:           9,
			{"prometheus", "a new verdict"}:  1,
		},
		Toolsets: map[string]bool{"prometheus/metrics": true, "custom/a\xffb": false},
	})
	series := scrape(t, m)
	want := map[string]string{
		`{state="accepted",type="prometheus"}`: "2",
		`{state="rejected",type="custom"}`:     "4",
		`{state="rejected",type="none"}`:       "9",
		`{state="other",type="prometheus"}`:    "1",
	}
	if diff := cmp.Diff(want, only(series, "services")); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	want = map[string]string{`{name="prometheus/metrics"}`: "1", `{name="custom/a` + "\ufffd" + `b"}`: "0"}
	if diff := cmp.Diff(want, only(series, "toolset_healthy")); diff != "" {
		t.Errorf("toolset_healthy (-want +got):\n%s", diff)
	}

	m.Show(Snapshot{Toolsets: map[string]bool{"prometheus/metrics": false}})
	series = scrape(t, m)
	if left := only(series, "services"); len(left) > 0 {
		t.Errorf("series left after they vanished: %v", left)
	}
	want = map[string]string{`{name="prometheus/metrics"}`: "0"}
	if diff := cmp.Diff(want, only(series, "toolset_healthy")); diff != "" {
		t.Errorf("toolset_healthy (-want +got):\n%s", diff)
	}
}

// Whoever names Services, or asks for paths, must not be able to make series.
func TestLabelsAreBounded(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	t.Attr("req", "DTS-SEC-3")
	m := New("1.2.3", []string{"prometheus"})
	before := len(scrape(t, m))
	for i := range 5000 {
		text := fmt.Sprintf("{{ %d \n\xff", i)
		m.Discovered(text)
		m.DetectorError(text)
		m.CheckFailed(text, backend.Observation{Outcome: backend.Outcome(text), Cause: text})
		m.CheckFailed(text, backend.Observation{Outcome: backend.Unreachable, Cause: text})
		m.Request(text, 200, time.Millisecond)
		m.Phase(Phase(text), time.Second)
		m.Reconciled(Result(text))
		m.Error(Operation(text))
		m.Show(Snapshot{Services: map[Group]int{{text, backend.Verdict(text)}: 1}})
	}
	const perEndpoint = 1 + 17 // requests, and buckets, sum and count
	if got, limit := len(scrape(t, m))-before, (maxEndpoints+1)*perEndpoint+30; got > limit {
		t.Errorf("%d new series, want at most %d", got, limit)
	}
}

func TestTwoDoNotMix(t *testing.T) {
	t.Attr("req", "DTS-MET-1")
	a, b := New("1", nil), New("2", nil) // a global registry would refuse the second
	a.Drift(1)
	if got := scrape(t, b)[prefix+"configmap_drift_detected_total"]; got != "0" {
		t.Errorf("another instance counts %s", got)
	}
}
