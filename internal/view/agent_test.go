package view

import (
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/agent"
)

// TestAgent has a sentence for each state of HolmesGPT, and something to do wherever it is not well.
func TestAgent(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	if a := NewAgent(nil); a.Asked || a.Replicas == nil || !strings.Contains(a.Message, "off") {
		t.Errorf("off: %+v", a)
	}
	published := agent.Document{Generation: "generation/1"}
	for message, s := range map[string]agent.State{
		"another replica of this service": {},
		"nothing is published yet":        {Leading: true},
		"no HolmesGPT was found":          {Leading: true, Document: published},
	} {
		if a := NewAgent(&s); !strings.Contains(a.Message, message) {
			t.Errorf("%q, want %q", a.Message, message)
		}
	}
	said := map[string]agent.Outcome{}
	for _, o := range agent.Outcomes() {
		s := agent.State{Leading: true, Document: published, Replicas: []agent.Replica{{
			URL: "http://10.0.0.7:5050", Outcome: o, Detail: "HTTP 500", Checked: time.Unix(1, 0),
		}}}
		a := NewAgent(&s)
		r := a.Replicas[0]
		if other, both := said[r.Message]; both || r.Message == "" {
			t.Errorf("%s is said as %s: %q", o, other, r.Message)
		}
		said[r.Message] = o
		if len(r.Advice) == 0 && o != agent.Loaded {
			t.Errorf("%s: nothing to do", o)
		}
	}
}

// TestAgentToolsets has HolmesGPT's own reasons, and what to do about those that are known.
func TestAgentToolsets(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	r := newAgentReplica(&agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{
		{Name: "grafana/dashboards", Status: "failed", Error: "ENV var replacement GRAFANA_API_KEY does not exist"},
		{Name: "elasticsearch/data", Status: "failed", Error: "SSLError(CERTIFICATE_VERIFY_FAILED)"},
		{Name: "prometheus/metrics", Status: "enabled", Error: "one instance is away", Tools: 9},
		{Name: "kibana/a", Status: "failed", Error: "$(evil) ENV var replacement a b does not exist"},
		{Name: "grafana/loki", Status: "failed", Error: "[evil/x] 500 ENV var replacement LD_PRELOAD does not exist"},
	}})
	if r.Enabled != 1 || r.Total != 5 || !strings.Contains(r.Message, "1 of 5") {
		t.Errorf("%d of %d: %q", r.Enabled, r.Total, r.Message)
	}
	for i, command := range []string{"GRAFANA_API_KEY", "REQUESTS_CA_BUNDLE", "", "", ""} {
		got := ""
		if a := r.Toolsets[i].Advice; len(a) > 0 {
			got = a[0].Command
		}
		if command == "" && got != "" || !strings.Contains(got, command) {
			t.Errorf("%s: %q, want %q", r.Toolsets[i].Name, got, command)
		}
	}
	if r.Toolsets[2].Error != "" {
		t.Errorf("a working toolset has the error %q", r.Toolsets[2].Error)
	}
}
