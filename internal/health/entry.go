package health

import (
	"context"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Record is a published instance as it was remembered across a restart.
type Record struct {
	Port        int32 // as in backend.Candidate.PortNumber: with another one it is another backend
	Observation backend.Observation
}

// entry is what is known of one target.
type entry struct {
	target   probe.Target
	identity string // a change of this makes it another backend
	last     backend.Observation
	good     *backend.Observation // the last that was good enough to publish; nil once it counts as failing
	failures int
	counted  time.Time // when the last failure was counted
	tried    bool
	due      time.Time
	stop     context.CancelFunc // ends the probe that runs; nil while none does
	again    bool               // it changed while it was being probed
}

func (e *entry) remember(r Record) {
	if r.Port == e.target.Candidate.PortNumber {
		o := r.Observation
		e.good = &o
	}
}

// end stops the probe that runs, if there is one.
func (e *entry) end() {
	if e != nil && e.stop != nil {
		e.stop()
	}
}

// enter takes a result in and reports whether anything changed that others see.
func (e *entry) enter(o backend.Observation, now time.Time, opts Options) bool {
	first := !e.tried
	before := e.good
	changed := first || e.last.Outcome != o.Outcome
	e.last, e.tried = o, true
	if o.Outcome.Up() {
		e.good, e.failures = &o, 0
		return changed || before == nil || !same(*before, o)
	}
	// A rolling restart is one failure and not three, however often it is looked at.
	if e.failures == 0 || now.Sub(e.counted) >= opts.Interval*8/10 {
		e.failures++
		e.counted = now
	}
	if e.failures >= opts.Threshold {
		e.good = nil
	}
	return changed || (before == nil) != (e.good == nil)
}

// same reports whether two observations would be written alike.
func same(a, b backend.Observation) bool {
	return a.Outcome == b.Outcome && a.Scheme == b.Scheme && a.Path == b.Path && a.Version == b.Version && a.SkipVerify == b.SkipVerify
}
