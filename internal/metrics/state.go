package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Snapshot is what the gauges about single things show. Each call of Show replaces the one before, as a whole: what it does
// not name is gone.
type Snapshot struct {
	Services map[Group]int   // how many Services
	Toolsets map[string]bool // published toolsets by name: whether every backend of it works
}

// Group of Services. Type is "" where no type was near.
type Group struct {
	Type  string
	State backend.Verdict
}

// none is the type of Services that are near to no type.
const none = "none"

// Show replaces what services and toolset_healthy show. A scrape sees the old snapshot or the new one, never parts of both.
func (m *Metrics) Show(s Snapshot) {
	counts := map[[2]string]float64{}
	for g, n := range s.Services {
		typ := none
		if g.Type != "" {
			typ = m.Type(g.Type)
		}
		counts[[2]string{typ, known(backend.Verdicts, g.State)}] += float64(n)
	}
	healthy := map[string]float64{}
	for name, ok := range s.Toolsets {
		healthy[valid(name)] = number(ok)
	}
	m.state.show(counts, healthy)
}

// state collects the gauges of a snapshot.
type state struct {
	services, toolsets *prometheus.Desc
	current            atomic.Pointer[[]prometheus.Metric]
}

func newState(services, toolsets *prometheus.Desc) *state {
	return &state{services: services, toolsets: toolsets}
}

func (s *state) show(services map[[2]string]float64, toolsets map[string]float64) {
	list := make([]prometheus.Metric, 0, len(services)+len(toolsets))
	add := func(d *prometheus.Desc, v float64, labels ...string) {
		metric, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, v, labels...)
		if err != nil { // the scrape then says so
			metric = prometheus.NewInvalidMetric(d, err)
		}
		list = append(list, metric)
	}
	for labels, n := range services {
		add(s.services, n, labels[0], labels[1])
	}
	for name, v := range toolsets {
		add(s.toolsets, v, name)
	}
	s.current.Store(&list)
}

// Describe implements prometheus.Collector.
func (s *state) Describe(c chan<- *prometheus.Desc) {
	c <- s.services
	c <- s.toolsets
}

// Collect implements prometheus.Collector.
func (s *state) Collect(c chan<- prometheus.Metric) {
	if list := s.current.Load(); list != nil {
		for _, metric := range *list {
			c <- metric
		}
	}
}
