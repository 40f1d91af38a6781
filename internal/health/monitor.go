// Package health probes each backend on a schedule and reports its state without flapping. A backend counts as working
// from its first success, and as failing only after several failed checks in a row.
package health

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Prober probes one backend. probe.Prober implements it.
type Prober interface {
	Probe(ctx context.Context, t probe.Target) backend.Observation
	// Denied reports whether an address of a target is denied, with the observation for it. It makes no request.
	Denied(t probe.Target) (o backend.Observation, denied bool)
}

// Options configure a Monitor.
type Options struct {
	Interval    time.Duration // between two checks of one backend, plus or minus a tenth
	Threshold   int           // failed checks in a row, at most one per interval, until a backend counts as failing
	Concurrency int           // checks at once
	// Address returns the address at which a target is probed. Targets of one namespace at one address are checked one
	// after the other. If it is nil, the address is the host name and port.
	Address func(t probe.Target) string
	// Checked is called after each check with its duration. It may be nil. A cancelled check is not reported.
	Checked func(c *backend.Candidate, o *backend.Observation, took time.Duration)
}

// Monitor probes its targets until its context ends. It is safe for concurrent use.
type Monitor struct {
	prober Prober
	opts   Options
	notify chan struct{} // observations have changed
	wake   chan struct{} // the scheduler has work
	slots  chan struct{} // running probes; a cancelled one may take a moment to return
	jitter func(time.Duration) time.Duration

	mu      sync.Mutex
	entries map[backend.Key]*entry
	turns   turns
	known   map[backend.Key]Record // published before the restart; removed once Set has a target of that key
	hurried budget
	shown   shown
	factor  int
	rounds  []*round
}

// New returns a Monitor without targets.
func New(p Prober, opts Options) *Monitor {
	if opts.Address == nil {
		opts.Address = func(t probe.Target) string {
			return fmt.Sprintf("%s:%d", t.Candidate.Host, t.Candidate.PortNumber)
		}
	}
	return &Monitor{
		prober: p, opts: opts, factor: 1, jitter: jitter, turns: newTurns(opts.Concurrency),
		notify: make(chan struct{}, 1), wake: make(chan struct{}, 1), slots: make(chan struct{}, opts.Concurrency),
		entries: map[backend.Key]*entry{}, known: map[backend.Key]Record{}, hurried: budget{}, shown: shown{},
	}
}

// Patience returns the time until a backend that fails counts as failing.
func (m *Monitor) Patience() time.Duration { return time.Duration(m.opts.Threshold) * m.opts.Interval }

// Changed returns a channel that receives a value after observations have changed.
func (m *Monitor) Changed() <-chan struct{} { return m.notify }

// Remember takes over the instances that this process or another one published. They count as working until they have
// failed Threshold checks. Targets that are known to work or to fail keep their state. The records replace those of an
// earlier call, so that withdrawn instances are removed.
func (m *Monitor) Remember(records map[backend.Key]Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.known)
	for key, r := range records {
		e := m.entries[key]
		if e == nil {
			m.known[key] = r
		} else if e.good == nil && !e.denied && e.failures < m.opts.Threshold {
			e.remember(r)
		}
	}
}

// Set replaces the targets. New targets, and those whose identity changed, start without state and are probed at once.
// Targets whose endpoints changed keep their state and are probed at once too. The state of removed targets is dropped
// and their running probes are cancelled. Denied targets are not probed and count as failing from now on. If a Service
// changes more often than its budget allows, its targets are probed after an interval instead of at once.
func (m *Monitor) Set(targets []probe.Target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	wanted := make(map[backend.Key]bool, len(targets))
	changed := map[backend.Ref]int{}
	for _, t := range targets {
		if m.differs(t) {
			changed[t.Candidate.Service.Ref]++
		}
	}
	due := map[backend.Ref]time.Time{}
	for ref, n := range changed {
		if due[ref] = now; !m.hurried.allows(ref, n, now) {
			due[ref] = now.Add(m.jitter(m.opts.Interval))
		}
	}
	for _, t := range targets {
		key := t.Candidate.Key()
		wanted[key] = true
		if m.differs(t) {
			m.take(key, t, now, due[key.Ref])
		}
		delete(m.known, key)
	}
	m.hurried.tidy(now)
	for key, e := range m.entries {
		if !wanted[key] {
			m.drop(e)
			delete(m.entries, key)
			m.asked(key)
		}
	}
	poke(m.wake)
}

// differs reports whether a target is new or has changed.
func (m *Monitor) differs(t probe.Target) bool {
	e := m.entries[t.Candidate.Key()]
	return e == nil || e.target.Candidate != t.Candidate || e.target.Endpoints != t.Endpoints
}

// take adds a target that is new or has changed, to be probed when it is due.
func (m *Monitor) take(key backend.Key, t probe.Target, now, due time.Time) {
	e := m.entries[key]
	name := identity(t.Candidate)
	o, denied := m.prober.Denied(t)
	if e != nil && e.identity == name && !e.denied && !denied {
		if e.stop == nil {
			m.turns.remove(e)
		}
		e.change(t, m.opts.Address(t), due)
		e.again = e.again && due.Equal(now)
	} else {
		m.drop(e)
		e = &entry{target: t, identity: name, address: m.opts.Address(t), due: due, fresh: true}
		m.entries[key] = e
		e.denied, e.last = denied, o
		e.tried = e.idle()
		if r, ok := m.known[key]; ok && !denied {
			e.remember(r)
		}
	}
	switch {
	case e.idle():
		m.asked(key)
	case e.stop != nil:
	case e.due.After(now):
		m.turns.wait(e)
	default:
		m.turns.add(e)
	}
	if denied {
		poke(m.notify)
	}
}

// Denied reports whether an address of a target is denied.
func (m *Monitor) Denied(t probe.Target) bool {
	_, denied := m.prober.Denied(t)
	return denied
}

// drop removes an entry and cancels its probe. e may be nil.
func (m *Monitor) drop(e *entry) {
	if e == nil {
		return
	}
	m.shown.remove(e)
	if e.stop != nil {
		e.stop()
		m.turns.vacate(e)
	} else {
		m.turns.remove(e)
	}
}

// SetFactor multiplies the interval, because a follower probes less often. The factor is 1 at first.
func (m *Monitor) SetFactor(factor int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.factor == factor {
		return
	}
	m.factor = factor
	now := time.Now()
	for _, e := range m.entries {
		if limit := now.Add(m.pause(e)); m.turns.isLater(e) && e.due.After(limit) {
			m.turns.remove(e)
			e.due = limit
			m.turns.wait(e)
		}
	}
	poke(m.wake)
}

// Recheck makes every target due now. The channel is closed when each target was probed or removed. A probe that
// already runs counts.
func (m *Monitor) Recheck() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &round{done: make(chan struct{}), left: map[backend.Key]bool{}}
	now := time.Now()
	for key, e := range m.entries {
		if m.turns.isLater(e) {
			m.turns.remove(e)
			e.due = now
			m.turns.add(e)
		}
		if !e.idle() {
			r.left[key] = true
		}
	}
	m.rounds = append(m.rounds, r)
	m.asked(backend.Key{})
	poke(m.wake)
	return r.done
}

// round is one Recheck.
type round struct {
	done chan struct{}
	left map[backend.Key]bool // targets that are not probed yet
}

// asked removes a target that was probed or removed from the rounds, and closes the rounds that are complete.
func (m *Monitor) asked(key backend.Key) {
	m.rounds = slices.DeleteFunc(m.rounds, func(r *round) bool {
		delete(r.left, key)
		if len(r.left) == 0 {
			close(r.done)
		}
		return len(r.left) == 0
	})
}

// Observations returns the observation that counts now, for each target that was probed or is remembered.
func (m *Monitor) Observations() map[backend.Key]backend.Observation {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[backend.Key]backend.Observation, len(m.entries))
	for key, e := range m.entries {
		switch {
		case e.good != nil:
			out[key] = *e.good
		case e.tried:
			out[key] = e.last
		}
	}
	return out
}

// Tried reports whether every target was probed at least once.
func (m *Monitor) Tried() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if !e.tried {
			return false
		}
	}
	return true
}
