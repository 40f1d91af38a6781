package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// snapshotCollector collects the gauges from the last snapshot, so that a scrape never mixes two snapshots.
type snapshotCollector struct{ *Metrics }

// Describe implements prometheus.Collector.
func (m snapshotCollector) Describe(c chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, c) }

// Collect implements prometheus.Collector.
func (m snapshotCollector) Collect(c chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	flag := func(d *prometheus.Desc, on bool, labels ...string) {
		gauge(d, map[bool]float64{true: 1}[on], labels...)
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

// collectAgent collects the gauges about HolmesGPT.
func (m *Metrics) collectAgent(s agent.State, gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	outcomes, states := map[agent.Outcome]int{}, map[string]int{}
	for i := range s.Replicas {
		r := &s.Replicas[i]
		outcomes[r.Outcome]++
		current := map[agent.Outcome]float64{agent.Loaded: 1, agent.Waiting: 0, agent.NoDocument: 0, agent.Failed: 0}
		if v, known := current[r.Outcome]; known {
			gauge(m.agentCurrent, v, utf8(r.Address()))
		}
		for _, t := range r.Toolsets {
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

// Agent sets the source of the metrics about HolmesGPT.
func (m *Metrics) Agent(state func() agent.State) { m.asked.Store(&state) }
