package controller

import (
	"maps"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/health"
)

// keepMoved keeps a backend whose endpoint has changed as it is published, until the new endpoint works or patience is
// over. A chart's upgrade changes a Service, its endpoints and its pods one after the other, and in between nothing
// listens on the new port. keepMoved returns how soon to check again; 0 means never.
func (d *damper) keepMoved(now time.Time, findings []*backend.Finding) (again time.Duration) {
	for key, f := range d.present(findings) {
		if f.Verdict == backend.Accepted {
			delete(d.moved, key)
		}
		p := d.published[key]
		if !d.moves(p, f) {
			continue
		}
		if _, known := d.moved[key]; !known {
			d.moved[key] = now
		}
		if rest := d.patience - now.Sub(d.moved[key]); rest > 0 {
			*f = p.stays(waits(backend.CodeMoved, d.patience))
			again = sooner(again, rest)
		}
	}
	// A backend that stays published for another reason in the meantime does not get more time.
	maps.DeleteFunc(d.moved, func(key backend.Key, _ time.Time) bool {
		_, still := d.published[key]
		return !still
	})
	return again
}

// moves reports whether f is the published backend with another endpoint that does not answer yet. A backend with a
// credential does not stay, because the credential could be sent to an endpoint that is not proven.
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
		return false // it answers in another way, so it is not the backend in the middle of an upgrade
	}
	old := p.finding.Candidate
	return old.Service.UID == f.Service.UID && old.Service.ClusterIP == f.Service.ClusterIP &&
		old.Host == f.Candidate.Host && !old.Unproven && !old.ForeignHost &&
		!health.Same(f.Candidate, old) && d.stands(old)
}
