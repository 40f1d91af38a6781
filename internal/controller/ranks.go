package controller

import (
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// ranked is what decides about the primary and changes while a backend is published as it is.
type ranked struct {
	noData  bool
	bundled string
}

func rank(f *backend.Finding) ranked { return ranked{f.Observation.NoData, f.Candidate.Bundled} }

// keepRanks leaves the rank of what is published as it is until its namespace has its next turn: the primary moves with it,
// which changes the documents and state.json.
func (d *damper) keepRanks(now time.Time, all []*backend.Finding, again time.Duration) time.Duration {
	for _, f := range all {
		if f.Verdict != backend.Accepted || d.trusted(f.Namespace) {
			continue
		}
		p := d.published[f.Candidate.Key()].finding
		if p == nil || rank(f) == rank(p) {
			continue
		}
		if until := d.turns[f.Namespace].wait(now); until > 0 {
			c := *f.Candidate
			c.Bundled = p.Candidate.Bundled
			f.Candidate, f.Observation.NoData = &c, p.Observation.NoData
			again = sooner(again, until)
		}
	}
	return again
}
