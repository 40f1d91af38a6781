package controller

import (
	"maps"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// These limit how often one namespace may change the document. Its changes between two turns wait for the next turn and
// are made together.
const (
	turnBurst = 6                // turns at once
	turnQuick = 3                // turns at once without a wait; before each further one, changes wait for turnGap
	turnGap   = 5 * time.Second  // see turnQuick
	turnWait  = 30 * time.Second // until there is one more turn; also the longest that a withdrawal waits
	turnDebt  = 4                // limits the debt from withdrawals that cannot wait
)

// turns decides when each namespace may change the document.
type turns struct {
	budget  budgets
	last    map[string]time.Time // when the namespace has last changed the document
	waiting map[string]time.Time // since when a withdrawal waits
}

func newTurns() turns {
	return turns{
		budget: budgets{burst: turnBurst, wait: turnWait, debt: turnDebt},
		last:   map[string]time.Time{}, waiting: map[string]time.Time{},
	}
}

// wait returns how long it takes until the namespace may change the document; 0 means now.
func (t *turns) wait(namespace string, now time.Time) time.Duration {
	if until := t.budget.until(namespace, now); until > 0 {
		return until
	}
	if t.budget.left(namespace, now) <= turnBurst-turnQuick {
		return max(0, t.last[namespace].Add(turnGap).Sub(now))
	}
	return 0
}

// overdue reports whether a withdrawal has waited for turnWait, so that it must not wait any longer.
func (t *turns) overdue(namespace string, now time.Time) bool {
	since, waits := t.waiting[namespace]
	return waits && now.Sub(since) >= turnWait
}

// postpone records that a withdrawal waits, and returns how much longer it waits.
func (t *turns) postpone(namespace string, now time.Time) time.Duration {
	if _, waits := t.waiting[namespace]; !waits {
		t.waiting[namespace] = now
	}
	return min(t.wait(namespace, now), t.waiting[namespace].Add(turnWait).Sub(now))
}

// take records that the namespace has changed the document.
func (t *turns) take(namespace string, now time.Time) {
	t.budget.spend(namespace, now)
	t.last[namespace] = now
	maps.DeleteFunc(t.last, func(_ string, last time.Time) bool { return now.Sub(last) >= turnGap })
}

// takeTurns keeps the published backends of a namespace unchanged until the namespace has its next turn.
func (d *damper) takeTurns(now time.Time, findings []*backend.Finding) (all []*backend.Finding, again time.Duration) {
	current := d.present(findings)
	for key, f := range current {
		if _, known := d.published[key]; known || f.Verdict != backend.Accepted || !d.pays(f) {
			continue
		}
		if until := d.turns.wait(f.Namespace, now); until > 0 {
			f.Verdict, f.Reason = backend.Unavailable, waits(backend.CodeNamespaceTurn, until.Round(time.Second))
			again = sooner(again, until)
		}
	}
	all = findings
	behind := map[string]bool{} // namespaces with a withdrawal that waits
	for key, p := range d.published {
		f := current[key]
		if d.turns.wait(key.Namespace, now) == 0 || !d.mayStay(p, f) {
			continue
		}
		if behind[key.Namespace] = true; d.turns.overdue(key.Namespace, now) {
			continue
		}
		again = sooner(again, d.turns.postpone(key.Namespace, now))
		if f == nil {
			f = &backend.Finding{}
			all = append(all, f)
		}
		*f = p.stays(waits(backend.CodeStillPublished, turnWait))
	}
	maps.DeleteFunc(d.turns.waiting, func(namespace string, _ time.Time) bool { return !behind[namespace] })
	return all, again
}

// stays returns the finding of a backend that stays published for a while, with the reason.
func (p publication) stays(why backend.Reason) backend.Finding {
	f := p.finding
	return backend.Finding{
		Ref: f.Ref, Service: f.Service, Type: f.Type, Candidate: f.Candidate, Observation: f.Observation,
		Verdict: backend.Accepted, ShardOf: f.ShardOf,
		Stays: true, Reason: why,
	}
}

// mayStay reports whether a published backend must be changed or withdrawn but may stay for a while: changes by its
// owner can wait, but not a backend that no longer works, leads to a denied address or has a credential. f is its
// present finding, nil if there is none.
func (d *damper) mayStay(p publication, f *backend.Finding) bool {
	switch {
	case p.finding == nil, len(p.finding.Credentials) > 0, p.finding.Entitled:
		return false
	case f == nil:
		return d.stands(p.finding.Candidate)
	case f.Verdict == backend.Accepted:
		return !p.is(inventory.Text(f)) && d.pays(f) && d.stands(p.finding.Candidate)
	}
	probed := f.Observation.Outcome != backend.Unprobed
	// The cause is another Service, not the health of this one.
	elsewhere := f.Verdict == backend.Duplicate || f.Reason.Code.Limit() != "" || f.Reason.Code == backend.CodeNameTaken
	if probed && !elsewhere && health.Same(f.Candidate, p.finding.Candidate) {
		return false
	}
	return d.stands(p.finding.Candidate)
}

// ranked holds the values that decide which backend is the primary and which one keeps its notes and its name. They may
// change although the text of the backend does not.
type ranked struct {
	noData  bool
	bundled string
	shardOf backend.Key
	created int64 // a Service that is created again is younger
}

func rank(f *backend.Finding) ranked {
	return ranked{f.Observation.NoData, f.Candidate.Bundled, f.ShardOf, f.Candidate.Service.Created.UnixNano()}
}

// keepRanks keeps the ranks of the published backends until their namespace has its next turn. A change of rank may
// move the primary and the notes, which changes the documents and state.json.
func (d *damper) keepRanks(now time.Time, all []*backend.Finding, again time.Duration) time.Duration {
	for _, f := range all {
		if f.Verdict != backend.Accepted || d.trusted(f.Namespace) {
			continue
		}
		p := d.published[f.Candidate.Key()].finding
		if p == nil || rank(f) == rank(p) {
			continue
		}
		if until := d.turns.wait(f.Namespace, now); until > 0 {
			c, s := *f.Candidate, *f.Candidate.Service
			s.Created = p.Candidate.Service.Created
			c.Bundled, c.Service = p.Candidate.Bundled, &s
			f.Candidate, f.Service, f.Observation.NoData, f.ShardOf = &c, &s, p.Observation.NoData, p.ShardOf
			again = sooner(again, until)
		}
	}
	return again
}
