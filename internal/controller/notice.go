package controller

import (
	"maps"
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/history"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// tellReach tells when none of the backends that were asked can be reached, and when that is over. That one cannot is its own
// trouble; all of them point at the network in between, or at where this process runs.
func (r *Report) tellReach(s *Snapshot) {
	var unreached []*backend.Finding
	waiting := false
	for _, f := range s.Findings {
		if f.Candidate == nil {
			continue
		}
		switch f.Observation.Outcome {
		case backend.Unreachable:
			unreached = append(unreached, f)
		case backend.Unprobed:
			waiting = waiting || !f.Candidate.Unproven
		case backend.NoEndpoints: // not asked
		default:
			if r.cutOff {
				r.cutOff = false
				r.Log.Info("backends can be reached again")
			}
			return
		}
	}
	if r.cutOff || waiting || len(unreached) == 0 {
		return
	}
	r.cutOff = true
	first := unreached[0]
	r.Log.Warn("none of the backends can be reached: a NetworkPolicy keeps this process from them, or it runs where their addresses lead nowhere",
		attributes(first.Candidate.Key(), "backends", len(unreached), "err", first.Observation.Detail)...)
}

// tellWarnings tells of each warning about what is written, when it comes up.
func (r *Report) tellWarnings(s *Snapshot) {
	if !s.Leading || s.Document == nil {
		return
	}
	for _, w := range s.Document.Warnings {
		if !slices.Contains(r.warnings, w) {
			r.Log.Warn("what is written wants attention", "warning", w)
		}
	}
	r.warnings = s.Document.Warnings
}

// tellMisnamed tells of each primary of the configuration that none can be, once, and when that is over. Whoever owns the Service
// decides how often it comes and goes, so that this has a bound.
func (r *Report) tellMisnamed(s *Snapshot) {
	if !s.Discovered || s.Source != nil { // nobody knows
		return
	}
	now := map[string]string{}
	for _, m := range s.Misnamed {
		text := m.String()
		told, before := r.misnamed[m.Type]
		switch {
		case told == text:
			now[m.Type] = text
		case s.Leading && r.owners.mayTell(m.Namespace, time.Now()):
			now[m.Type] = text
			r.Log.Warn("the configuration names a primary that none can be", "type", m.Type, "service", m.Ref.String(), "reason", m.Why)
			r.Events.ConfigMap(true, "PrimaryMissing", m.String())
		case before: // what was told is not right any more, and not over
			now[m.Type] = told
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(r.misnamed)) {
		if _, still := now[typ]; !still {
			r.Log.Info("the primary that the configuration names is there", "type", typ)
			r.Events.ConfigMap(false, "PrimaryFound", "the primary "+typ+" that the configuration names is there")
		}
	}
	r.misnamed = now
}

// tellRepairs tells what was put right that somebody else had changed.
func (r *Report) tellRepairs(res *publish.Result) {
	if res.Created && len(res.Drifted) > 0 {
		r.Log.Info("what was published was deleted; it is written again", "keys", len(res.Changed))
		r.note(history.Repaired, "everything, which was deleted")
		return
	}
	for _, d := range res.Drifted {
		if d.Manager == "" {
			r.Log.Info("what somebody removed is written again", "key", d.Key)
			r.note(history.Repaired, "%s, which was removed", d.Key)
			continue
		}
		r.Log.Info("repaired what somebody else changed", "key", d.Key, "manager", d.Manager)
		r.note(history.Repaired, "%s, which was changed by %s", d.Key, d.Manager)
	}
}
