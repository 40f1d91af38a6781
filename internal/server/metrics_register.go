package server

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// register creates the metrics. Alerts and dashboards depend on their names.
func (m *Metrics) register(version string) {
	m.discovered = m.counter("services_discovered_total", "Backends that were newly accepted, by type.", "type")
	m.withdrawn = m.counter("services_withdrawn_total", "Backends that are no longer published, by type.", "type")
	m.phases = m.histogram("discovery_duration_seconds", "How long a full discovery and its phases took.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "phase")
	m.reconciles = m.counter("configmap_reconcile_total",
		"Comparisons of the ConfigMap with what it should be, by what came of them.", "result")
	m.drift = m.counter("configmap_drift_detected_total",
		"Generated keys that were found changed or removed by someone else.")
	m.size = m.gauge("configmap_size_bytes",
		"Size of the ConfigMap's data, overrides included; nothing over 900 KiB is written.")
	m.requests = m.counter("http_requests_total", "HTTP requests that were answered, by route and status code.",
		"endpoint", "code")
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
	m.leftOut = m.desc("backends_left_out",
		"Backends that work and are not published: those beyond what one namespace "+
			"may have, and those that would make the document too large.", "limit")
	m.services = m.desc("services", "Services by type and verdict; type is none where no type was near. "+
		"Those that look like nothing are not counted.", "type", "state")
	m.healthy = m.desc("toolset_healthy", "1 if every backend of a published toolset works, else 0.", "name")
	m.tokens = m.desc("toolset_tokens",
		"What the toolset adds to each request to the agent's model, roughly; HTTP toolsets by type.", "toolset")
	m.agentReplicas = m.desc("agent_replicas",
		"Replicas of HolmesGPT by what they made of the document; only the leader asks.", "outcome")
	m.agentCurrent = m.desc("agent_generation_current",
		"1 if a replica of HolmesGPT has the document that was published last, 0 if it has "+
			"another or none; none where it does not say. Only the leader asks.", "replica")
	m.agentToolsets = m.desc("agent_toolsets",
		"Toolsets of the document by their state in HolmesGPT, of all its replicas.", "status")
	m.gauge("build_info", "The version that runs; always 1.", "version", "goversion").
		WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(snapshotCollector{m}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// describe adds a metric to the table and returns its full name.
func (m *Metrics) describe(name, typ, help string, labels []string) string {
	m.table = append(m.table, Metric{metricPrefix + name, typ, labels, help})
	return metricPrefix + name
}

func (m *Metrics) desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(m.describe(name, "gauge", help, labels), help, labels, nil)
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.describe(name, "counter", help, labels), Help: help},
		labels)
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
