package health

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Record is a published instance as read from the state after a restart.
type Record struct {
	Port        int32 // as in backend.Candidate.PortNumber: another port means another backend
	Observation backend.Observation
}

// longestPause limits the time between two checks of a backend that has never worked. A longer interval wins.
const longestPause = 5 * time.Minute

// entry is the state of one target.
type entry struct {
	target   probe.Target
	identity string // if it changes, the target is another backend
	address  string // the address that is probed
	last     backend.Observation
	good     *backend.Observation // the last one that can be published; nil once the target counts as failing
	failures int
	counted  time.Time // when the last failure was counted
	tried    bool
	denied   bool // it is not probed, because one of its addresses is denied
	worked   bool // since it last changed
	secure   bool // it has answered over TLS
	misses   int  // failed checks since it last changed

	// The fields below belong to the scheduler.
	due   time.Time
	front bool               // first in its namespace, because its probe was cancelled to free the slot
	fresh bool               // new or changed: comes before targets that are checked again
	again bool               // it changed while its probe ran
	stop  context.CancelFunc // cancels the running probe; nil if no probe runs
	lane  *lane              // the lane in which it has a slot
	spot  spot               // the spot that it holds
	in    *pile              // the heap in which it waits
	at    int                // its index in that heap
}

func (e *entry) namespace() string { return e.target.Candidate.Service.Namespace }

// idle reports whether the entry is never probed.
func (e *entry) idle() bool { return e.denied || e.target.Candidate.Unproven }

// remember takes over an observation from before a restart.
func (e *entry) remember(r Record) {
	// Others may have written the state: a record is used only if it leads to the Service itself.
	if c := e.target.Candidate; r.Port == c.PortNumber && probe.Within(c, &r.Observation) {
		o := r.Observation
		e.good, e.worked, e.secure = &o, true, e.secure || o.Scheme == "https"
	}
}

// change records that the target or its endpoints have changed. The target is then due at the given time at the
// latest, so that an owner who changes it all the time cannot delay its check.
func (e *entry) change(t probe.Target, at string, due time.Time) {
	e.target, e.address = t, at
	if e.due.After(due) || e.stop != nil {
		e.due = due
	}
	e.fresh, e.again = true, e.stop != nil
	e.worked, e.misses = e.worked && e.good != nil, 0
}

// enter records the result of a probe and reports whether the published or shown state changed.
func (e *entry) enter(o backend.Observation, now time.Time, opts Options) bool {
	first, before := !e.tried, e.good
	if o.Degraded != "" && e.good != nil {
		o.Outcome = backend.Ready // it stays published, because it still answers in part
	}
	changed := first || e.last.Outcome != o.Outcome
	up := o.Outcome.Up()
	if up && !e.target.Candidate.FixedScheme {
		e.secure = e.secure || o.Scheme == "https"
		o.LostTLS = e.secure && o.Scheme == "http"
	}
	e.last, e.tried = o, true
	if !up || e.worse(&o) {
		e.misses++
		if e.fail(&o, now, opts); e.failures < opts.Threshold {
			return changed
		}
	}
	if !up {
		e.good = nil
		return changed || before != nil
	}
	if o.Members == nil && before != nil {
		o.Members = before.Members // this response did not list them
	}
	e.good, e.failures = &o, 0
	e.worked = true
	return changed || before == nil || !same(*before, o)
}

// worse reports whether a backend that is up requires credentials that it did not require, or has lost TLS. One such
// response may come from a proxy that starts, from one of several replicas, or from somebody on the way to the backend.
func (e *entry) worse(o *backend.Observation) bool {
	return e.good != nil && (e.good.Outcome == backend.Ready && o.Outcome == backend.AuthRequired ||
		e.good.Scheme == "https" && o.LostTLS)
}

// fail counts a failed check. A rolling restart counts as one failure, even if it is probed several times.
func (e *entry) fail(o *backend.Observation, now time.Time, opts Options) {
	if e.failures == 0 || now.Sub(e.counted) >= opts.Interval*8/10 {
		e.failures++
		e.counted = now
	}
	if o.Cause == backend.CauseDenied {
		e.failures = opts.Threshold // withdrawn at once: the agent must not be sent to a denied address
	}
}

// pause returns the time to the next check, without jitter. It grows with each failure of a target that has not worked
// since it last changed.
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

// before reports whether the entry comes before another one of its namespace.
func (e *entry) before(other *entry) bool {
	return cmp.Or(e.rank()-other.rank(), e.due.Compare(other.due)) < 0
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

// takeOut removes the entry from the heap in which it waits.
func (e *entry) takeOut() {
	heap.Remove(e.in, e.at)
	e.in = nil
}

// same reports whether two observations are published and shown alike.
func same(a, b backend.Observation) bool {
	return a.Type == b.Type && a.NoData == b.NoData &&
		slices.Equal(a.Warnings, b.Warnings) && slices.Equal(a.Members, b.Members) &&
		a.Outcome == b.Outcome && a.Scheme == b.Scheme && a.Path == b.Path && a.Host == b.Host && a.Port == b.Port &&
		a.Wants == b.Wants && a.Version == b.Version && a.SkipVerify == b.SkipVerify && a.Degraded == b.Degraded
}
