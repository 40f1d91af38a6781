package server

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// register creates the metrics. Alerts and dashboards depend on their names.
func (m *Metrics) register(version string) {
	m.discovered = m.counter("services_discovered_total", "Backends that were newly accepted, by type.", "type")
	m.withdrawn = m.counter("services_withdrawn_total", "Backends that are no longer published, by type.", "type")
	m.phases = m.histogram("discovery_duration_seconds", "Duration of a discovery and of its phases.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "phase")
	m.reconciles = m.counter("configmap_reconcile_total",
		"Comparisons of the ConfigMap with the generated keys, by result.", "result")
	m.drift = m.counter("configmap_drift_detected_total",
		"Generated keys that another field manager changed or removed.").WithLabelValues()
	m.size = m.gauge("configmap_size_bytes",
		"Size of the ConfigMap's data with the overrides; the service writes at most 900 KiB.").WithLabelValues()
	m.requests = m.counter("http_requests_total", "Answered HTTP requests, by route and status code.",
		"endpoint", "code")
	m.durations = m.histogram("http_request_duration_seconds", "Time to answer an HTTP request, by route.",
		[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "endpoint")
	m.failures = m.counter("health_check_failures_total",
		"Failed health checks, by type of backend and reason.", "service_type", "reason")
	m.detectors = m.counter("detector_errors_total",
		"Services with a bad or misspelt annotation, by type. A Service counts again when the annotation changes.",
		"detector")
	m.errors = m.counter("reconciliation_errors_total", "Failed operations, by operation.", "operation")
	m.publish = m.histogram("change_to_publish_seconds",
		"Time from a change in the cluster until the ConfigMap with this change is written.",
		[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}).WithLabelValues()
	m.toAgent = m.histogram("change_to_agent_seconds",
		"Time from a change in the cluster until a replica of HolmesGPT has loaded the document with this change.",
		[]float64{.25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}).WithLabelValues()
	m.overrides = m.desc("overrides_valid",
		"1 if the overrides in the ConfigMap are in force, 0 if they are invalid and the last valid ones apply.")
	m.leader = m.desc("leader", "1 if this replica writes the document, else 0.")
	m.leftOut = m.desc("backends_left_out",
		"Backends that work but are not published, by limit: the number of instances in a namespace, "+
			"or the size of the document.", "limit")
	m.services = m.desc("services", "Services by type and verdict; type none if no type fits. "+
		"Unmatched Services are not counted.", "type", "state")
	m.healthy = m.desc("toolset_healthy", "1 if a published backend works, else 0.", "name")
	m.tokens = m.desc("toolset_tokens",
		"Approximate tokens that a toolset adds to each request to the agent's model; HTTP toolsets by type.",
		"toolset")
	m.agentReplicas = m.desc("agent_replicas",
		"Replicas of HolmesGPT, by the state of their document. Only the leader asks HolmesGPT.", "outcome")
	m.agentCurrent = m.desc("agent_generation_current",
		"1 if a replica of HolmesGPT has the last published document, 0 if it has another one or none. "+
			"Missing if the replica does not report it. Only the leader asks HolmesGPT.", "replica")
	m.agentToolsets = m.desc("agent_toolsets",
		"Toolsets of the document in all replicas of HolmesGPT, by status.", "status")
	m.gauge("build_info", "Version of this process; always 1.", "version", "goversion").
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
	name = m.describe(name, "counter", help, labels)
	return promauto.With(m.registry).NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	name = m.describe(name, "gauge", help, labels)
	return promauto.With(m.registry).NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	name = m.describe(name, "histogram", help, labels)
	return promauto.With(m.registry).NewHistogramVec(
		prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}
