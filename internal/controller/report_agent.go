package controller

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"

	"kubernaut.io/dynamic-toolset/internal/agent"
)

// Agent reports what has changed at a replica of HolmesGPT. before is nil for a new one, after for one that is gone. It
// may be called concurrently with Cycle.
func (r *Report) Agent(before, after *agent.Replica) {
	if after == nil {
		r.agents.forget(before.URL)
		return
	}
	if before == nil {
		before = &agent.Replica{}
	}
	if after.Outcome != before.Outcome {
		r.Log.Info("HolmesGPT checked", "url", after.URL, "outcome", string(after.Outcome), "version", after.Version,
			"generation", after.Generation, "err", after.Detail)
	}
	if after.Outcome == agent.Loaded && before.Generation != after.Generation {
		r.note(ChangeAgent, "HolmesGPT at %s has loaded the published document: %d of %d toolsets are enabled there",
			after.URL, after.Count(agent.StatusEnabled), len(after.Toolsets))
	}
	waited := before.Outcome == agent.Waiting || before.Outcome == agent.NoDocument
	if after.Outcome == agent.Loaded && waited && !after.Changed.IsZero() {
		r.Metrics.AgentLoaded(after.Since.Sub(after.Changed))
	}
	if after.Toolsets == nil { // not known
		return
	}
	failed, works := r.agents.update(after)
	if len(failed) > 0 {
		reason := objectAddress.ReplaceAllString(failed[0].Error, "")
		r.Log.Warn("toolsets fail in HolmesGPT", "url", after.URL, "toolsets", names(failed), "err", reason)
		r.Events.ConfigMap(true, "AgentToolsetFailed",
			fmt.Sprintf("HolmesGPT cannot use %s: %s", names(failed), reason))
	}
	if len(works) > 0 {
		r.Log.Info("toolsets work in HolmesGPT", "url", after.URL, "toolsets", names(works))
		r.Events.ConfigMap(false, "AgentToolsetWorks", "HolmesGPT can use "+names(works)+" again")
	}
}

// objectAddress is where Python puts the address of an object into an error. It differs each time, and each text would
// be another Event.
var objectAddress = regexp.MustCompile(` at 0x[0-9a-fA-F]+`)

// agentFailures holds which toolsets fail in HolmesGPT. Its methods may be called concurrently.
type agentFailures struct {
	mu       sync.Mutex
	failing  map[string][]string // by URL, when the replica last reported its toolsets
	reported map[string]bool     // the toolsets last reported as failing, in any replica
}

// update returns the toolsets to report: those that fail in a replica and are not reported as failing, and those that
// are, but work now in all replicas. A replica that does not report its toolsets changes nothing.
func (f *agentFailures) update(r *agent.Replica) (failed, works []agent.Toolset) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reported == nil {
		f.failing, f.reported = map[string][]string{}, map[string]bool{}
	}
	f.failing[r.URL] = nil
	for _, t := range r.Toolsets {
		if t.Status == agent.StatusFailed {
			f.failing[r.URL] = append(f.failing[r.URL], t.Name)
			if !f.reported[t.Name] {
				f.reported[t.Name], failed = true, append(failed, t)
			}
		}
	}
	over := maps.Clone(f.reported)
	for _, list := range f.failing {
		for _, name := range list {
			delete(over, name)
		}
	}
	for _, t := range r.Toolsets {
		if over[t.Name] && t.Status == agent.StatusEnabled {
			delete(f.reported, t.Name)
			works = append(works, t)
		}
	}
	if r.Outcome == agent.Loaded { // the others are switched off, or not in the document any more
		maps.DeleteFunc(f.reported, func(name string, _ bool) bool { return over[name] })
	}
	return failed, works
}

// forget removes a replica that no longer exists. Its failures stay reported until another replica shows otherwise.
func (f *agentFailures) forget(url string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.failing, url)
}

// names returns the names of the first ten toolsets, and how many more there are.
func names(toolsets []agent.Toolset) string {
	const most = 10
	var list []string
	for i := range toolsets[:min(len(toolsets), most)] {
		list = append(list, toolsets[i].Name)
	}
	return strings.Join(list, ", ") + more(len(toolsets)-len(list))
}
