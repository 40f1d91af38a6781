package health

import (
	"context"
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Record is a published instance as it was remembered across a restart.
type Record struct {
	Port        int32 // as in backend.Candidate.PortNumber: with another one it is another backend
	Observation backend.Observation
}

// longestPause bounds the time between two checks of what has never worked, where the interval itself is not longer.
const longestPause = 5 * time.Minute

// entry is what is known of one target.
type entry struct {
	target   probe.Target
	identity string // a change of this makes it another backend
	address  string // where it is probed
	last     backend.Observation
	good     *backend.Observation // the last that was good enough to publish; nil once it counts as failing
	failures int
	counted  time.Time // when the last failure was counted
	tried    bool
	denied   bool // it is not probed: one of its addresses is denied
	worked   bool // since it last changed
	misses   int  // failed checks since then

	// Of the scheduler.
	due   time.Time
	front bool               // before all others of its namespace: its probe was ended for another one
	fresh bool               // new or changed: before those that are checked again
	again bool               // it changed while it was being probed
	stop  context.CancelFunc // ends the probe that runs; nil while none does
	lane  *lane              // where it has a slot
	spot  spot               // that it holds
	in    *pile[*entry]      // where it waits
	at    int                // its place there
}

func (e *entry) namespace() string { return e.target.Candidate.Service.Namespace }

// idle: it is never probed.
func (e *entry) idle() bool { return e.denied || e.target.Candidate.Unproven }

func (e *entry) remember(r Record) {
	// What is remembered was read where others may have written it: it names the Service itself or nothing.
	if c := e.target.Candidate; r.Port == c.PortNumber && probe.Within(c, &r.Observation) {
		o := r.Observation
		e.good, e.worked = &o, true
	}
}

// change enters that the target, or what is behind it, has changed, so that it is due then at the latest: who changes it all the
// time does not put its check off.
func (e *entry) change(t probe.Target, at string, due time.Time) {
	e.target, e.address = t, at
	if e.due.After(due) || e.stop != nil {
		e.due = due
	}
	e.fresh, e.again = true, e.stop != nil
	e.worked, e.misses = e.worked && e.good != nil, 0
}

// enter takes a result in and reports whether anything changed that others see.
func (e *entry) enter(o backend.Observation, now time.Time, opts Options) bool {
	first := !e.tried
	before := e.good
	if o.Degraded != "" && e.good != nil {
		o.Outcome = backend.Ready // it is published, and answers what it can
	}
	changed := first || e.last.Outcome != o.Outcome
	e.last, e.tried = o, true
	if o.Outcome.Up() {
		if o.Members == nil && before != nil {
			o.Members = before.Members // it did not say for once
		}
		e.good, e.failures = &o, 0
		e.worked = true
		return changed || before == nil || !same(*before, o)
	}
	e.misses++
	// A rolling restart is one failure and not three, however often it is looked at.
	if e.failures == 0 || now.Sub(e.counted) >= opts.Interval*8/10 {
		e.failures++
		e.counted = now
	}
	if o.Cause == backend.CauseDenied {
		e.failures = opts.Threshold // the agent must not be sent there a moment longer
	}
	if e.failures >= opts.Threshold {
		e.good = nil
	}
	return changed || (before == nil) != (e.good == nil)
}

// pause is the time to the next check, without jitter. What has not worked since it last changed is probed ever less
// often.
func (e *entry) pause(interval time.Duration) time.Duration {
	if e.good != nil || e.worked {
		return interval
	}
	longest := max(interval, longestPause)
	for n := 1; n < e.misses && interval < longest; n++ {
		interval *= 2
	}
	return min(interval, longest)
}

// before orders the entries of one namespace.
func (e *entry) before(other *entry) bool {
	if r, s := e.rank(), other.rank(); r != s {
		return r < s
	}
	return e.due.Before(other.due)
}

func (e *entry) rank() int {
	switch {
	case e.front:
		return 0
	case e.fresh:
		return 1
	}
	return 2
}

func (e *entry) place() *int { return &e.at }

func (e *entry) put(p *pile[*entry]) {
	p.push(e)
	e.in = p
}

func (e *entry) takeOut() {
	e.in.take(e.at)
	e.in = nil
}

// same reports whether two observations would be written and shown alike.
func same(a, b backend.Observation) bool {
	return a.Type == b.Type && a.NoData == b.NoData && slices.Equal(a.Warnings, b.Warnings) && slices.Equal(a.Members, b.Members) &&
		a.Outcome == b.Outcome && a.Scheme == b.Scheme && a.Path == b.Path && a.Host == b.Host && a.Port == b.Port && a.Wants == b.Wants && a.Version == b.Version && a.SkipVerify == b.SkipVerify
}
