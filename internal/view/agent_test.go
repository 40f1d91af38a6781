package view

import (
	"fmt"
	"net/netip"
	"path/filepath"
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

// A key that cannot be read is a mistake in this service's configuration: no network is to blame.
func TestAgentKeyUnread(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	file := filepath.Join(t.TempDir(), "key")
	asker := agent.New(agent.Options{
		URL: "http://127.0.0.1:1", KeyFile: file, Forbids: func(netip.Addr) bool { return false },
	})
	s := asker.Ask(t.Context(), agent.Document{Generation: "generation/1"})
	r := NewAgent(&s).Replicas[0]
	if !strings.HasPrefix(r.Message, "was not asked: ") || !strings.Contains(r.Message, file) {
		t.Errorf("message %q", r.Message)
	}
	said := fmt.Sprint(r.Advice)
	if strings.Contains(said, "NetworkPolicies") || strings.Contains(said, "HOLMES_API_KEY") || !strings.Contains(said, "holmesgpt.apiKeyFile") {
		t.Errorf("advice %s", said)
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
	}}, false)
	if r.Enabled != 1 || r.Total != 5 || !strings.Contains(r.Message, "1 of 5") {
		t.Errorf("%d of %d: %q", r.Enabled, r.Total, r.Message)
	}
	for i := range r.Toolsets {
		if r.Toolsets[i].Status == agent.StatusFailed && len(r.Toolsets[i].Advice) == 0 {
			t.Errorf("%s: nothing to do", r.Toolsets[i].Name)
		}
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

// TestInAgent is what HolmesGPT made of one backend.
func TestInAgent(t *testing.T) {
	t.Attr("req", "DTS-CLI-4 DTS-RUN-7")
	toolset := func(name, status, text string, instances map[string]string) agent.Toolset {
		return agent.Toolset{Name: name, Status: status, Error: text, Instances: instances}
	}
	tests := []struct {
		name    string
		replica agent.Replica
		status  string
		message string
		advice  string
	}{
		{"works", agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{toolset("es/data", "enabled", "", nil), toolset("es/cluster", "enabled", "", nil)}},
			"enabled", "can use it, by es/cluster", ""},
		{"its toolset fails", agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{toolset("es/data", "failed", "ENV var replacement KEY does not exist", nil)}},
			"failed", "cannot use es/data: ENV var replacement KEY does not exist", "variable KEY"},
		{"it fails", agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{toolset("es/data", "enabled", "", map[string]string{"a/es": "Connection refused"})}},
			"failed", "cannot use it: Connection refused", "NetworkPolicies"},
		{"it fails, with figures in the error", agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{toolset("es/data", "enabled", "", map[string]string{
			"a/es": "NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f4014038d30>: Failed to establish a new connection: Connection refused')"})}},
			"failed", "Connection refused", "NetworkPolicies"},
		{"it refuses", agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{toolset("es/data", "enabled", "", map[string]string{"a/es": "HTTP 401"})}},
			"failed", "HTTP 401", "right credential"},
		{"another fails", agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{toolset("es/data", "enabled", "", map[string]string{"b/es": "Connection refused"})}},
			"enabled", "can use it", ""},
		{"switched off", agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{toolset("es/data", "disabled", "", nil)}}, "disabled", "switched off", ""},
		{"not listed", agent.Replica{Outcome: agent.Loaded, Toolsets: []agent.Toolset{toolset("prometheus/metrics", "enabled", "", nil)}}, "unknown", "does not list", ""},
		{"an older document", agent.Replica{Outcome: agent.Waiting, Toolsets: []agent.Toolset{toolset("es/data", "enabled", "", nil)}}, "enabled", "but has an older document", ""},
		{"wants a key", agent.Replica{Outcome: agent.WantsKey}, "unknown", "requires an API key", "apiKeyFile"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.replica.URL = "http://10.0.0.7:5050"
			a := NewAgent(&agent.State{Leading: true, Document: agent.Document{Generation: "generation/1"}, Replicas: []agent.Replica{tt.replica, tt.replica}})
			list, advice := a.In([]string{"es/data", "es/cluster"}, "a/es")
			if len(list) != 2 || list[0].Status != tt.status || !strings.Contains(list[0].Message, tt.message) {
				t.Errorf("%+v", list)
			}
			if said := fmt.Sprint(advice); len(advice) > 1 || !strings.Contains(said, tt.advice) || tt.advice == "" && len(advice) > 0 {
				t.Errorf("advice %s", said)
			}
		})
	}
	none := NewAgent(&agent.State{Leading: true, Document: agent.Document{Generation: "generation/1"}})
	if list, _ := none.In([]string{"es/data"}, "a/es"); len(list) != 1 || !strings.Contains(list[0].Message, "no HolmesGPT was found") {
		t.Errorf("without a replica: %+v", list)
	}
}
