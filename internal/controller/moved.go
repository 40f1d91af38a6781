package controller

import (
	"maps"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/health"
)

// moved is since when backends are reached in another way than they are published, and that way does not work yet. A
// chart's upgrade changes a Service, its endpoints and its pods one after the other; in between nothing is behind the
// new port, and the backend has gone nowhere.
type moved struct {
	patience time.Duration
	since    map[backend.Key]time.Time
}

// keepMoved leaves what is published of a backend that has moved as it is, until the new way works, or for as long as a
// backend takes to count as failing. It returns how soon to look again; 0 for not.
func (d *damper) keepMoved(now time.Time, findings []*backend.Finding) (again time.Duration) {
	if d.moved.since == nil {
		d.moved.since = map[backend.Key]time.Time{}
	}
	for _, f := range findings {
		if f.Candidate == nil {
			continue
		}
		key := f.Candidate.Key()
		if f.Verdict == backend.Accepted {
			delete(d.moved.since, key)
		}
		p := d.published[key]
		if !d.moves(p, f) {
			continue
		}
		begun, known := d.moved.since[key]
		if !known {
			begun = now
		}
		d.moved.since[key] = begun
		if rest := d.moved.patience - now.Sub(begun); rest > 0 {
			*f = p.stays(waits(backend.CodeMoved, d.moved.patience))
			again = sooner(again, rest)
		}
	}
	// What stays published for another reason meanwhile has no second time.
	maps.DeleteFunc(d.moved.since, func(key backend.Key, _ time.Time) bool {
		_, still := d.published[key]
		return !still
	})
	return again
}

// moves reports whether f is of the same Service as what is published, is reached in another way, and does not answer
// there yet. What holds a credential does not stay: it would go where nobody has proven anything.
func (d *damper) moves(p publication, f *backend.Finding) bool {
	if p.finding == nil || len(p.finding.Credentials) > 0 || p.finding.Entitled {
		return false
	}
	if f.Verdict != backend.Unavailable && f.Verdict != backend.Unconfirmed {
		return false
	}
	switch f.Observation.Outcome {
	case backend.Unprobed, backend.NoEndpoints, backend.Unreachable, backend.NotReady:
	default:
		return false // it is something else, or wants something else
	}
	old := p.finding.Candidate
	return old.Service.UID == f.Service.UID && old.Service.ClusterIP == f.Service.ClusterIP && old.Host == f.Candidate.Host &&
		!old.Unproven && !old.ForeignHost && !health.Same(f.Candidate, old) && d.stands(old)
}
