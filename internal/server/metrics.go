package server

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/view"
)

const metricPrefix = "dynamictoolset_"

// maxEndpoints bounds the label endpoint; the API has far fewer routes.
const maxEndpoints = 64

// Metrics are the Prometheus metrics of this process, in a registry of their own. No label is unbounded: types of users
// count as "custom", and values that are in no list as "other". Its methods may be called concurrently.
type Metrics struct {
	registry *prometheus.Registry
	table    []Metric
	types    []string // label values of types, sorted

	discovered, withdrawn, reconciles, drift, requests, failures, detectors, errors *prometheus.CounterVec
	phases, durations, publish, toAgent                                             *prometheus.HistogramVec
	size                                                                            *prometheus.GaugeVec
	services, healthy, leftOut, overrides, leader, tokens                           *prometheus.Desc // read from last

	last atomic.Pointer[controller.Snapshot]

	asked                        atomic.Pointer[func() agent.State] // nil: nobody is
	agentReplicas, agentToolsets *prometheus.Desc
	agentCurrent                 *prometheus.Desc

	mu        sync.Mutex
	endpoints map[string]bool // seen so far
}

// Metric describes one metric, for the reference page.
type Metric struct {
	Name   string // with its prefix
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string
}

// NewMetrics makes the metrics of one process. Types are the names of the built-in types.
func NewMetrics(version string, types []string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), types: labelTypes(types), endpoints: map[string]bool{}}
	m.register(version)
	m.last.Store(&controller.Snapshot{})
	// A rate sees the first increase only of a series that is there before it.
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
	m.drift.WithLabelValues()
	m.size.WithLabelValues()
	m.publish.WithLabelValues()
	m.toAgent.WithLabelValues()
	return m
}

// register makes the metrics. Alerts and dashboards depend on their names.
func (m *Metrics) register(version string) {
	m.discovered = m.counter("services_discovered_total", "Backends that were newly accepted, by type.", "type")
	m.withdrawn = m.counter("services_withdrawn_total", "Backends that are no longer published, by type.", "type")
	m.phases = m.histogram("discovery_duration_seconds", "How long a full discovery and its phases took.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "phase")
	m.reconciles = m.counter("configmap_reconcile_total",
		"Comparisons of the ConfigMap with what it should be, by what came of them.", "result")
	m.drift = m.counter("configmap_drift_detected_total", "Generated keys that were found changed or removed by someone else.")
	m.size = m.gauge("configmap_size_bytes", "Size of the ConfigMap's data, overrides included; nothing over 900 KiB is written.")
	m.requests = m.counter("http_requests_total", "HTTP requests that were answered, by route and status code.", "endpoint", "code")
	m.durations = m.histogram("http_request_duration_seconds", "How long answering an HTTP request took, by route.",
		[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "endpoint")
	m.failures = m.counter("health_check_failures_total",
		"Failed health checks, by the backend's type and the reason.", "service_type", "reason")
	m.detectors = m.counter("detector_errors_total",
		"Services with a bad or misspelt annotation, each counted again when it changes, by type.", "detector")
	m.errors = m.counter("reconciliation_errors_total", "Operations that failed, by what was tried.", "operation")
	m.publish = m.histogram("change_to_publish_seconds",
		"Time from a change in the cluster to the ConfigMap that shows it being written.",
		[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30})
	m.toAgent = m.histogram("change_to_agent_seconds",
		"Time from a change in the cluster to a replica of HolmesGPT having loaded the document that shows it.",
		[]float64{.25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300})
	m.overrides = m.desc("overrides_valid",
		"1 if the overrides in the ConfigMap are in force, 0 if they are invalid and the last good ones are.")
	m.leader = m.desc("leader", "1 if this replica is the one that writes, else 0.")
	m.leftOut = m.desc("backends_left_out", "Backends that work and are not published: those beyond what one namespace "+
		"may have, and those that would make the document too large.", "limit")
	m.services = m.desc("services", "Services by type and verdict; type is none where no type was near. "+
		"Those that look like nothing are not counted.", "type", "state")
	m.healthy = m.desc("toolset_healthy", "1 if every backend of a published toolset works, else 0.", "name")
	m.tokens = m.desc("toolset_tokens", "What the toolset adds to each request to the agent's model, roughly; HTTP toolsets by type.", "toolset")
	m.agentReplicas = m.desc("agent_replicas", "Replicas of HolmesGPT by what they made of the document; only the leader asks.", "outcome")
	m.agentCurrent = m.desc("agent_generation_current", "1 if a replica of HolmesGPT has the document that was published last, 0 if it has "+
		"another or none; none where it does not say. Only the leader asks.", "replica")
	m.agentToolsets = m.desc("agent_toolsets", "Toolsets of the document by their state in HolmesGPT, of all its replicas.", "status")
	m.gauge("build_info", "The version that runs; always 1.", "version", "goversion").WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(snapshotCollector{m}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// describe adds a metric to the table, and returns its full name.
func (m *Metrics) describe(name, typ, help string, labels []string) string {
	m.table = append(m.table, Metric{metricPrefix + name, typ, labels, help})
	return metricPrefix + name
}

func (m *Metrics) desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(m.describe(name, "gauge", help, labels), help, labels, nil)
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.describe(name, "counter", help, labels), Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.describe(name, "gauge", help, labels), Help: help}, labels)
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	o := prometheus.HistogramOpts{Name: m.describe(name, "histogram", help, labels), Help: help, Buckets: buckets}
	h := prometheus.NewHistogramVec(o, labels)
	m.registry.MustRegister(h)
	return h
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

// written records one comparison of the ConfigMap with what it should be.
func (m *Metrics) written(w *controller.Write, err error) {
	m.reconciles.WithLabelValues(result(&w.Result, err)).Inc()
	if w.Bytes > 0 { // else it failed before the size was known
		m.size.WithLabelValues().Set(float64(w.Bytes))
	}
	drifted := len(w.Drifted)
	if w.Created { // all of them are one deletion
		drifted = min(drifted, 1)
	}
	m.drift.WithLabelValues().Add(float64(drifted))
	if w.Written && w.Waited > 0 {
		m.publish.WithLabelValues().Observe(w.Waited.Seconds())
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
func (m *Metrics) AgentLoaded(took time.Duration) {
	m.toAgent.WithLabelValues().Observe(took.Seconds())
}

// Error counts an operation that failed.
func (m *Metrics) Error(operation string) {
	m.errors.WithLabelValues(oneOf(Operations(), operation)).Inc()
}

// Request records an answered HTTP request. The endpoint is the route's pattern, never the requested path. With a negative
// duration, as for a stream, the request is only counted.
func (m *Metrics) Request(endpoint string, code int, took time.Duration) {
	endpoint = m.endpointLabel(utf8(endpoint))
	label := labelOther
	if code >= 100 && code <= 599 {
		label = strconv.Itoa(code)
	}
	m.requests.WithLabelValues(endpoint, label).Inc()
	if took >= 0 {
		m.durations.WithLabelValues(endpoint).Observe(took.Seconds())
	}
}

func (m *Metrics) endpointLabel(pattern string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pattern == "" || !m.endpoints[pattern] && len(m.endpoints) == maxEndpoints {
		return labelOther
	}
	m.endpoints[pattern] = true
	return pattern
}

// snapshotCollector serves the gauges that show the last snapshot. A scrape sees one snapshot, never parts of two.
type snapshotCollector struct{ *Metrics }

// Describe implements prometheus.Collector.
func (m snapshotCollector) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.services, m.healthy, m.leftOut, m.overrides, m.leader, m.tokens} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (m snapshotCollector) Collect(c chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	flag := func(d *prometheus.Desc, on bool, labels ...string) {
		if on {
			gauge(d, 1, labels...)
		} else {
			gauge(d, 0, labels...)
		}
	}
	s := m.last.Load()
	services, healthy := map[[2]string]float64{}, map[string]bool{}
	leftOut := map[backend.Limit]float64{backend.LimitNamespace: 0, backend.LimitSize: 0}
	for _, f := range s.Findings {
		typ := "none"
		if f.Type != "" {
			typ = m.typeLabel(f.Type)
		}
		services[[2]string{typ, oneOf(backend.Verdicts, f.Verdict)}]++
		if f.Verdict == backend.Accepted {
			healthy[utf8(f.Type+"/"+f.Candidate.Instance)] = f.Observation.Outcome.Up()
		}
		if limit := f.Reason.Code.Limit(); limit != "" {
			leftOut[limit]++
		}
	}
	for labels, n := range services {
		gauge(m.services, n, labels[:]...)
	}
	for name, up := range healthy {
		flag(m.healthy, up, name)
	}
	for limit, n := range leftOut {
		gauge(m.leftOut, n, string(limit))
	}
	for toolset, n := range m.tokensByLabel(view.Toolsets(s.Document)) {
		gauge(m.tokens, n, toolset)
	}
	flag(m.overrides, s.Overrides == nil)
	flag(m.leader, s.Leading && !s.DryRun)
	var asked agent.State
	if state := m.asked.Load(); state != nil {
		asked = (*state)()
	}
	m.collectAgent(asked, gauge)
}

// collectAgent gives what is known of HolmesGPT.
func (m *Metrics) collectAgent(s agent.State, gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	outcomes, states := map[agent.Outcome]int{}, map[string]int{}
	for i := range s.Replicas {
		r := &s.Replicas[i]
		outcomes[r.Outcome]++
		current := map[agent.Outcome]float64{agent.Loaded: 1, agent.Waiting: 0, agent.NoDocument: 0, agent.Failed: 0}
		if v, known := current[r.Outcome]; known {
			gauge(m.agentCurrent, v, utf8(r.Address()))
		}
		for _, t := range s.Replicas[i].Toolsets {
			states[oneOf([]string{agent.StatusEnabled, agent.StatusFailed, agent.StatusDisabled}, t.Status)]++
		}
	}
	for _, o := range agent.Outcomes() {
		gauge(m.agentReplicas, float64(outcomes[o]), string(o))
	}
	for _, status := range []string{agent.StatusEnabled, agent.StatusFailed} {
		gauge(m.agentToolsets, float64(states[status]), status)
	}
}

// Agent has the metrics of HolmesGPT read from there.
func (m *Metrics) Agent(state func() agent.State) { m.asked.Store(&state) }
