package server

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

const metricPrefix = "dynamictoolset_"

// Metrics holds the Prometheus metrics of this process in its own registry. Every label has bounded values: types that
// users define become "custom", and unknown values "other". Its methods may be called concurrently.
type Metrics struct {
	registry *prometheus.Registry
	table    []Metric
	types    []string // label values of types

	discovered, withdrawn, reconciles, requests, failures, detectors, errors *prometheus.CounterVec
	phases, durations                                                        *prometheus.HistogramVec
	drift                                                                    prometheus.Counter
	size                                                                     prometheus.Gauge
	publish, toAgent                                                         prometheus.Observer
	services, healthy, leftOut, overrides, leader, tokens                    *prometheus.Desc // read from last
	agentReplicas, agentToolsets, agentCurrent                               *prometheus.Desc // read from asked

	last  atomic.Pointer[controller.Snapshot]
	asked atomic.Pointer[func() agent.State] // nil: HolmesGPT is not observed
}

// Metric describes one metric, for the reference page.
type Metric struct {
	Name   string // with its prefix
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string
}

// NewMetrics creates the metrics of one process. types are the names of the built-in types.
func NewMetrics(version string, types []string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), types: slices.Concat(types, []string{backend.TypeCustom, backend.TypeMCP}),
	}
	m.last.Store(&controller.Snapshot{})
	m.register(version)
	// rate() sees the first increase of a series only if the series existed before.
	for _, t := range m.types {
		m.discovered.WithLabelValues(t)
		m.withdrawn.WithLabelValues(t)
		m.detectors.WithLabelValues(t)
		for _, r := range FailureReasons() {
			m.failures.WithLabelValues(t, r)
		}
	}
	for _, p := range Phases() {
		m.phases.WithLabelValues(p)
	}
	for _, r := range Results() {
		m.reconciles.WithLabelValues(r)
	}
	for _, o := range Operations() {
		m.errors.WithLabelValues(o)
	}
	return m
}

// Describe lists this service's own metrics by name. The registry also has those of the Go runtime and of the process.
func (m *Metrics) Describe() []Metric {
	return slices.SortedFunc(slices.Values(m.table), func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
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

// Cycle records one cycle of the controller.
func (m *Metrics) Cycle(s *controller.Snapshot) {
	m.last.Store(s)
	m.phase(PhaseDetect, s.Took.Detect)
	m.phase(PhaseBuild, s.Took.Build)
	if s.Took.Publish > 0 {
		m.phase(PhasePublish, s.Took.Publish)
	}
	m.phase(PhaseTotal, s.Took.Total)
	if s.Document == nil && s.Err != nil {
		m.Error(OperationBuild)
	}
	if s.Write != nil {
		m.written(s.Write, s.Err)
	}
}

// written records one comparison of the ConfigMap with the desired one.
func (m *Metrics) written(w *controller.Write, err error) {
	m.reconciles.WithLabelValues(result(&w.Result, err)).Inc()
	if w.Bytes > 0 { // else it failed before the size was known
		m.size.Set(float64(w.Bytes))
	}
	drifted := len(w.Drifted)
	if w.Created { // the deletion of the ConfigMap is one drift
		drifted = min(drifted, 1)
	}
	m.drift.Add(float64(drifted))
	if w.Written && w.Waited > 0 {
		m.publish.Observe(w.Waited.Seconds())
	}
	if err != nil && !errors.Is(err, publish.ErrSuperseded) {
		operation := OperationApply
		if step := (*publish.Error)(nil); errors.As(err, &step) {
			operation = string(step.Op)
		}
		m.Error(operation)
	}
}

// Checked records one health check.
func (m *Metrics) Checked(c *backend.Candidate, o *backend.Observation, took time.Duration) {
	m.phase(PhaseProbe, took)
	if !o.Outcome.Up() {
		m.failures.WithLabelValues(m.typeLabel(c.Type), failureReason(o)).Inc()
	}
}

func (m *Metrics) phase(name string, took time.Duration) {
	m.phases.WithLabelValues(name).Observe(took.Seconds())
}

// Discovered counts a backend that has newly become accepted.
func (m *Metrics) Discovered(typ string) { m.discovered.WithLabelValues(m.typeLabel(typ)).Inc() }

// Withdrawn counts a backend that is no longer published.
func (m *Metrics) Withdrawn(typ string) { m.withdrawn.WithLabelValues(m.typeLabel(typ)).Inc() }

// BadAnnotation counts a Service with a bad annotation.
func (m *Metrics) BadAnnotation(typ string) { m.detectors.WithLabelValues(m.typeLabel(typ)).Inc() }

// AgentLoaded records that a replica of HolmesGPT has loaded the document that shows a change.
func (m *Metrics) AgentLoaded(took time.Duration) { m.toAgent.Observe(took.Seconds()) }

// Error counts an operation that failed.
func (m *Metrics) Error(operation string) {
	m.errors.WithLabelValues(oneOf(Operations(), operation)).Inc()
}

// Request records an HTTP request. endpoint is the route's pattern, never the requested path; "" if no route matched.
// If took is negative, as for a stream, the request is only counted.
func (m *Metrics) Request(endpoint string, code int, took time.Duration) {
	endpoint = cmp.Or(endpoint, labelOther)
	m.requests.WithLabelValues(endpoint, strconv.Itoa(code)).Inc()
	if took >= 0 {
		m.durations.WithLabelValues(endpoint).Observe(took.Seconds())
	}
}
