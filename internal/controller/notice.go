package controller

import (
	"slices"

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
