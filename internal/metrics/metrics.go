// Package metrics holds this service's Prometheus metrics (DTS-MET-1), in a registry of their own.
//
// No label takes values without a bound: types that the catalog of this service does not know count as "custom", and what
// else is not in a known list counts as "other".
package metrics

import (
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Metrics is every metric of this service. Its methods may be called side by side.
type Metrics struct {
	registry *prometheus.Registry
	table    []Metric
	types    []string // label values of types, sorted

	discovered *prometheus.CounterVec
	phases     *prometheus.HistogramVec
	reconciles *prometheus.CounterVec
	drift      prometheus.Counter
	size       prometheus.Gauge
	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	failures   *prometheus.CounterVec
	detectors  *prometheus.CounterVec
	errors     *prometheus.CounterVec
	overrides  prometheus.Gauge
	leader     prometheus.Gauge
	leftOut    *prometheus.GaugeVec
	publish    prometheus.Histogram
	state      *state

	mu        sync.Mutex
	endpoints map[string]bool // seen so far
}

// maxEndpoints bounds the endpoint label, beside the routes of the API, of which there are far fewer.
const maxEndpoints = 64

// other is the label of what is in no known list.
const other = "other"

// New makes the metrics of one process. Types are the names of the built-in types; all others count as "custom".
func New(version string, types []string) *Metrics {
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		types:     labelTypes(types),
		endpoints: map[string]bool{},
	}
	m.register()
	m.start(version)
	return m
}

// start gives every series whose labels are known its first value, so that a rate over it sees the first increase.
func (m *Metrics) start(version string) {
	for _, t := range m.types {
		m.discovered.WithLabelValues(t)
		m.detectors.WithLabelValues(t)
		for _, r := range FailureReasons() {
			m.failures.WithLabelValues(t, r)
		}
	}
	for _, p := range Phases() {
		m.phases.WithLabelValues(string(p))
	}
	for _, r := range Results() {
		m.reconciles.WithLabelValues(string(r))
	}
	for _, o := range Operations() {
		m.errors.WithLabelValues(string(o))
	}
	for _, l := range []backend.Limit{backend.LimitNamespace, backend.LimitSize} {
		m.leftOut.WithLabelValues(string(l))
	}
	m.overrides.Set(1)
	build := m.gaugeVec("build_info", "The version that runs; always 1.", "version", "goversion")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
}

// Handler serves the metrics.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 8,
		Timeout:             10 * time.Second,
		EnableOpenMetrics:   true,
	})
}

// Discovered counts a backend that has newly become accepted.
func (m *Metrics) Discovered(typ string) { m.discovered.WithLabelValues(m.Type(typ)).Inc() }

// Phase records how long a phase of a discovery took.
func (m *Metrics) Phase(p Phase, took time.Duration) {
	m.phases.WithLabelValues(known(Phases(), p)).Observe(took.Seconds())
}

// Reconciled counts one comparison of the ConfigMap with what it should be.
func (m *Metrics) Reconciled(r Result) { m.reconciles.WithLabelValues(known(Results(), r)).Inc() }

// Drift counts generated keys that someone else changed or removed.
func (m *Metrics) Drift(keys int) { m.drift.Add(float64(max(keys, 0))) }

// Size records the size of the ConfigMap's data.
func (m *Metrics) Size(bytes int) { m.size.Set(float64(bytes)) }

// CheckFailed counts a failed health check; see FailureReason.
func (m *Metrics) CheckFailed(typ string, o backend.Observation) {
	m.failures.WithLabelValues(m.Type(typ), FailureReason(o)).Inc()
}

// DetectorError counts a Service that asks to be a backend of a type and cannot be.
func (m *Metrics) DetectorError(typ string) { m.detectors.WithLabelValues(m.Type(typ)).Inc() }

// Error counts an operation that failed.
func (m *Metrics) Error(op Operation) { m.errors.WithLabelValues(known(Operations(), op)).Inc() }

// OverridesValid says whether the overrides in the ConfigMap are in force as they stand.
func (m *Metrics) OverridesValid(valid bool) { m.overrides.Set(number(valid)) }

// Leading says whether this replica is the one that writes.
func (m *Metrics) Leading(leading bool) { m.leader.Set(number(leading)) }

// LeftOut says how many backends work and are not published because of a limit.
func (m *Metrics) LeftOut(limit backend.Limit, n int) {
	m.leftOut.WithLabelValues(string(limit)).Set(float64(n))
}

// Published records the time from the newest change that a publication carries to the ConfigMap being written.
func (m *Metrics) Published(took time.Duration) { m.publish.Observe(took.Seconds()) }

// Request records a served HTTP request. The endpoint is the route's pattern, never the path that was asked for. A stream
// lasts as long as somebody reads it: with a negative time it is counted and no more.
func (m *Metrics) Request(endpoint string, code int, took time.Duration) {
	endpoint = m.endpoint(endpoint)
	label := other
	if code >= 100 && code <= 599 {
		label = strconv.Itoa(code)
	}
	m.requests.WithLabelValues(endpoint, label).Inc()
	if took >= 0 {
		m.durations.WithLabelValues(endpoint).Observe(took.Seconds())
	}
}

func (m *Metrics) endpoint(pattern string) string {
	if pattern == "" {
		return other
	}
	pattern = valid(pattern)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.endpoints[pattern] {
		if len(m.endpoints) == maxEndpoints {
			return other
		}
		m.endpoints[pattern] = true
	}
	return pattern
}

// known is a label's value, or "other" where the list does not have it.
func known[T ~string](list []T, v T) string {
	if slices.Contains(list, v) {
		return string(v)
	}
	return other
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
