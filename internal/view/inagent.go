package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
)

// InAgent is the state of a backend in one replica of HolmesGPT.
type InAgent struct {
	Replica string `json:"replica" doc:"Its URL, empty if not known"`
	Status  string `json:"status" enum:"enabled,failed,disabled,unknown"`
	Error   string `json:"error" doc:"HolmesGPT's error, empty for none"`
	Message string `json:"message"`
}

// statusUnknown is the status of a backend that a replica does not report.
const statusUnknown = "unknown"

// In returns the state of an instance of these toolsets in each replica, and what to do.
func (a *Agent) In(toolsets []string, instance string) (list []InAgent, advice []Advice) {
	for i := range a.Replicas {
		r := &a.Replicas[i]
		own, what := r.in(toolsets, instance)
		list = append(list, own)
		for _, todo := range what {
			if !slices.Contains(advice, todo) {
				advice = append(advice, todo)
			}
		}
	}
	if len(list) == 0 {
		list = []InAgent{{Status: statusUnknown, Message: a.Message}}
	}
	return list, advice
}

// in returns the state of an instance of these toolsets in this replica, and what to do.
func (r *AgentReplica) in(toolsets []string, instance string) (own InAgent, advice []Advice) {
	own = InAgent{Replica: r.URL, Status: statusUnknown, Message: r.Message}
	for _, t := range r.Toolsets {
		if !slices.Contains(toolsets, t.Name) {
			continue
		}
		at := slices.IndexFunc(t.Instances, func(i AgentInstance) bool { return i.Name == instance })
		switch {
		case at >= 0:
			reason := t.Instances[at].Error
			return InAgent{r.URL, agent.StatusFailed, reason, "cannot use it: " + reason}, t.Instances[at].Advice
		case t.Status == agent.StatusFailed:
			reason := cmp.Or(t.Error, "it does not say why")
			return InAgent{r.URL, agent.StatusFailed, t.Error, "cannot use " + t.Name + ": " + reason}, t.Advice
		case t.Status == agent.StatusEnabled:
			own.Status, own.Message = agent.StatusEnabled, fmt.Sprintf("can use it, by %s", t.Name)
			if r.Outcome != string(agent.Loaded) {
				own.Message = "can use " + t.Name + ", but " + r.Message
			}
		case own.Status == statusUnknown:
			own.Status, own.Message = agent.StatusDisabled, "has "+t.Name+" switched off"
		}
	}
	if own.Status == statusUnknown {
		if own.Message = r.Message; r.Outcome == string(agent.Loaded) {
			own.Message = "does not list its toolset"
		}
		return own, r.Advice
	}
	return own, nil
}

// inAgent sets the state in HolmesGPT of an accepted backend, and returns what to do.
func (m *Material) inAgent(b *Backend) []Advice {
	if m.Agent == nil || b.Verdict != backend.Accepted {
		return nil
	}
	var advice []Advice
	b.Agent, advice = m.Agent.In(strings.Split(b.Metadata.Toolset, ","), b.Instance)
	return advice
}
