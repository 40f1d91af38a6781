package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/agent"
)

// agentReport is a Report and the last state of each replica of HolmesGPT, as the Agent passes them on.
type agentReport struct {
	*logged
	last map[string]*agent.Replica
}

func newAgentReport() *agentReport { return &agentReport{newLogged(), map[string]*agent.Replica{}} }

// holmesLoaded is a replica that has the document, with Grafana's toolset and one that works.
func holmesLoaded(url, status, reason string) *agent.Replica {
	return &agent.Replica{URL: url, Outcome: agent.Loaded, Generation: "generation/1", Toolsets: []agent.Toolset{
		{Name: "grafana/dashboards", Status: status, Error: reason}, {Name: "prometheus/metrics", Status: agent.StatusEnabled},
	}}
}

// holmesAway is the same replica when it does not answer.
func holmesAway(url string) *agent.Replica {
	return &agent.Replica{URL: url, Outcome: agent.Away, Generation: "generation/1"}
}

func (r *agentReport) now(replica *agent.Replica) {
	r.Agent(r.last[replica.URL], replica)
	r.last[replica.URL] = replica
}

func (r *agentReport) gone(url string) {
	r.Agent(r.last[url], nil)
	delete(r.last, url)
}

const (
	holmesVariable   = "ENV var replacement GRAFANA_API_KEY does not exist"
	holmesRefused    = "<urllib3.connection.HTTPConnection object at 0x7f12ab34cd56>: Connection refused"
	holmesRefusedToo = "<urllib3.connection.HTTPConnection object at 0x7f99ab34cd56>: Connection refused"
	holmesOne        = "http://10.0.0.7:5050"
	holmesTwo        = "http://10.0.0.8:5050"
)

// A toolset that fails in HolmesGPT is reported once while it fails, and once when it works, whatever HolmesGPT misses
// in between.
func TestAgentToolsetsAreReportedOnce(t *testing.T) {
	t.Attr("req", "DTS-LOG-1 DTS-RUN-7")
	const failed = "AgentToolsetFailed: HolmesGPT cannot use grafana/dashboards: "
	const works = "AgentToolsetWorks: HolmesGPT can use grafana/dashboards again"
	waiting := func(status string) *agent.Replica {
		r := holmesLoaded(holmesOne, status, "")
		r.Outcome, r.Generation = agent.NoDocument, ""
		return r
	}
	for name, tt := range map[string]struct {
		steps func(r *agentReport)
		want  []string
	}{
		"it misses requests": {func(r *agentReport) {
			r.now(holmesLoaded(holmesOne, "failed", holmesRefused))
			r.now(holmesAway(holmesOne))
			r.now(holmesLoaded(holmesOne, "failed", holmesRefusedToo))
			r.now(holmesAway(holmesOne))
			r.now(holmesLoaded(holmesOne, "failed", holmesRefused))
		}, []string{failed + "<urllib3.connection.HTTPConnection object>: Connection refused"}},
		"it restarts with the variable": {func(r *agentReport) {
			r.now(holmesLoaded(holmesOne, "failed", holmesVariable))
			r.now(holmesAway(holmesOne))
			r.now(waiting("disabled"))
			r.now(holmesLoaded(holmesOne, "enabled", ""))
			r.now(holmesLoaded(holmesOne, "enabled", ""))
		}, []string{failed + holmesVariable, works}},
		"a new pod has the variable": {func(r *agentReport) {
			r.now(holmesLoaded(holmesOne, "failed", holmesVariable))
			r.gone(holmesOne)
			r.now(holmesLoaded(holmesTwo, "enabled", ""))
		}, []string{failed + holmesVariable, works}},
		"a new pod has the variable, before the old one goes": {func(r *agentReport) {
			r.now(holmesLoaded(holmesOne, "failed", holmesVariable))
			r.now(holmesLoaded(holmesTwo, "enabled", ""))
			r.now(holmesAway(holmesOne))
			r.now(holmesLoaded(holmesTwo, "enabled", ""))
			r.gone(holmesOne)
			r.now(holmesLoaded(holmesTwo, "enabled", ""))
		}, []string{failed + holmesVariable, works}},
		"it fails in two replicas": {func(r *agentReport) {
			r.now(holmesLoaded(holmesOne, "failed", holmesVariable))
			r.now(holmesLoaded(holmesTwo, "failed", holmesVariable))
			r.now(holmesLoaded(holmesOne, "enabled", ""))
			r.now(holmesLoaded(holmesTwo, "enabled", ""))
		}, []string{failed + holmesVariable, works}},
		"it fails again": {func(r *agentReport) {
			r.now(holmesLoaded(holmesOne, "failed", holmesVariable))
			r.now(holmesLoaded(holmesOne, "enabled", ""))
			r.now(holmesLoaded(holmesOne, "failed", holmesVariable))
		}, []string{failed + holmesVariable, works, failed + holmesVariable}},
		"it is not in the document any more": {func(r *agentReport) {
			r.now(holmesLoaded(holmesOne, "failed", holmesVariable))
			r.now(&agent.Replica{URL: holmesOne, Outcome: agent.Loaded, Generation: "generation/2", Toolsets: []agent.Toolset{}})
			r.now(holmesLoaded(holmesOne, "enabled", ""))
		}, []string{failed + holmesVariable}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newAgentReport()
			tt.steps(r)
			if diff := cmp.Diff(tt.want, events(r.logged)); diff != "" {
				t.Error(diff)
			}
			if n := len(r.lines("toolsets ")); n != len(tt.want) {
				t.Errorf("%d lines in the log, want %d", n, len(tt.want))
			}
		})
	}
}

// A document is loaded once, whatever HolmesGPT misses afterwards.
func TestAgentLoadedIsReportedOnce(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	r := newAgentReport()
	for range 3 {
		r.now(holmesLoaded(holmesOne, "enabled", ""))
		r.now(holmesAway(holmesOne))
	}
	if list := r.History.Since(0); len(list) != 1 {
		t.Errorf("%d changes: %v", len(list), list)
	}
}
