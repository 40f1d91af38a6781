package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

const prefix = "dynamictoolset_"

// Metric describes one metric, for the reference page.
type Metric struct {
	Name   string // with its prefix
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string
}

// Describe lists this service's own metrics by name. Beside them there are those of the Go runtime (go_*) and of the
// process (process_*).
func (m *Metrics) Describe() []Metric {
	table := make([]Metric, len(m.table))
	for i, d := range m.table {
		d.Labels = slices.Clone(d.Labels)
		table[i] = d
	}
	slices.SortFunc(table, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return table
}

// register makes the metrics. Names are the specification's; leader is one more, since which replica writes shows in no other.
func (m *Metrics) register() {
	m.discovered = m.counterVec("services_discovered_total",
		"Backends that were newly accepted, by type.", "type")
	m.phases = m.histogramVec("discovery_duration_seconds",
		"How long a full discovery and its phases took.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "phase")
	m.reconciles = m.counterVec("configmap_reconcile_total",
		"Comparisons of the ConfigMap with what it should be, by what came of them.", "result")
	m.drift = m.counter("configmap_drift_detected_total",
		"Generated keys that were found changed or removed by someone else.")
	m.size = m.gauge("configmap_size_bytes",
		"Size of the ConfigMap's data, overrides included; nothing over 900 KiB is written.")
	m.requests = m.counterVec("http_requests_total",
		"HTTP requests that were answered, by route and status code.", "endpoint", "code")
	m.durations = m.histogramVec("http_request_duration_seconds",
		"How long answering an HTTP request took, by route.",
		[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "endpoint")
	m.failures = m.counterVec("health_check_failures_total",
		"Failed health checks, by the backend's type and the reason.", "service_type", "reason")
	m.detectors = m.counterVec("detector_errors_total",
		"Services with a bad or misspelt annotation, each counted again when it changes, by type.", "detector")
	m.errors = m.counterVec("reconciliation_errors_total",
		"Operations that failed, by what was tried.", "operation")
	m.overrides = m.gauge("overrides_valid",
		"1 if the overrides in the ConfigMap are in force, 0 if they are invalid and the last good ones are.")
	m.leader = m.gauge("leader",
		"1 if this replica is the one that writes, else 0.")
	m.leftOut = m.gaugeVec("backends_left_out",
		"Backends that work and are not published: those beyond what one namespace may have, and those that would make the document too large.", "limit")
	m.publish = m.histogram("change_to_publish_seconds",
		"Time from a change in the cluster to the ConfigMap that shows it being written.",
		[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30})
	m.state = newState(
		m.desc("services", "gauge", "Services by type and verdict; type is none where no type was near. Those that look like nothing are not counted.", "type", "state"),
		m.desc("toolset_healthy", "gauge", "1 if every backend of a published toolset works, else 0.", "name"),
	)
	m.registry.MustRegister(m.state)
}

func (m *Metrics) describe(name, typ, help string, labels []string) string {
	m.table = append(m.table, Metric{Name: prefix + name, Type: typ, Labels: labels, Help: help})
	return prefix + name
}

func (m *Metrics) desc(name, typ, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(m.describe(name, typ, help, labels), help, labels, nil)
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: m.describe(name, "counter", help, nil), Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.describe(name, "counter", help, labels), Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: m.describe(name, "gauge", help, nil), Help: help})
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) gaugeVec(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.describe(name, "gauge", help, labels), Help: help}, labels)
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: m.describe(name, "histogram", help, nil), Help: help, Buckets: buckets,
	})
	m.registry.MustRegister(h)
	return h
}

func (m *Metrics) histogramVec(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: m.describe(name, "histogram", help, labels), Help: help, Buckets: buckets,
	}, labels)
	m.registry.MustRegister(h)
	return h
}
