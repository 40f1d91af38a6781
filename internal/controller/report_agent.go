package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/agent"
)

// Agent reports what has changed at a replica of HolmesGPT: whether it has loaded the document, and which toolsets fail
// there. before is nil for a new replica, after for one that no longer exists. It may be called concurrently with
// Cycle.
func (r *Report) Agent(before, after *agent.Replica) {
	if after == nil {
		return
	}
	if before == nil {
		before = &agent.Replica{}
	}
	if after.Outcome != before.Outcome {
		r.Log.Info("HolmesGPT checked", "url", after.URL, "outcome", string(after.Outcome), "version", after.Version,
			"generation", after.Generation, "err", after.Detail)
	}
	if after.Outcome == agent.Loaded && (before.Outcome != agent.Loaded || before.Generation != after.Generation) {
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
	was, now := failing(before), failing(after)
	if list := without(now, was); len(list) > 0 {
		r.Log.Warn("toolsets fail in HolmesGPT", "url", after.URL, "toolsets", list, "err", now[list[0]])
		r.Events.ConfigMap(true, "AgentToolsetFailed",
			fmt.Sprintf("HolmesGPT cannot use %s: %s", strings.Join(list, ", "), now[list[0]]))
	}
	if list := without(was, now); len(list) > 0 && before.Toolsets != nil {
		r.Log.Info("toolsets work in HolmesGPT", "url", after.URL, "toolsets", list)
		r.Events.ConfigMap(false, "AgentToolsetWorks", "HolmesGPT can use "+strings.Join(list, ", ")+" again")
	}
}

// failing returns the toolsets that fail at a replica, with the replica's reason.
func failing(r *agent.Replica) map[string]string {
	reasons := map[string]string{}
	for i := range r.Toolsets {
		if t := &r.Toolsets[i]; t.Status == agent.StatusFailed {
			reasons[t.Name] = t.Error
		}
	}
	return reasons
}

// without returns the names in a that are not in b, sorted. It shortens a long list.
func without(a, b map[string]string) []string {
	const most = 10
	list := slices.DeleteFunc(slices.Sorted(maps.Keys(a)), func(name string) bool { _, has := b[name]; return has })
	if more := len(list) - most; more > 0 {
		return append(list[:most:most], fmt.Sprintf("%d more", more))
	}
	return list
}
