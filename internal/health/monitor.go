// Package health watches backends: it probes each again and again and says what is known of it, without flapping. A
// backend counts as working from its first success, and as failing only after several failed checks in a row.
package health

import (
	"context"
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Prober asks one backend; probe.Prober is the one.
type Prober interface {
	Probe(ctx context.Context, t probe.Target) backend.Observation
	// Denied is the observation of a target with an address that is denied. It makes no request.
	Denied(t probe.Target) (o backend.Observation, denied bool)
}

// Options of a Monitor.
type Options struct {
	Interval    time.Duration // between two checks of one backend, give or take a tenth
	Threshold   int           // failed checks in a row, at most one an interval, until it counts as failing
	Concurrency int           // checks at once
	// Address is where a target is probed: those of one namespace at one address are checked one after the other. nil
	// means the name and port that it is reached at.
	Address func(t probe.Target) string
	// Checked is told of each check and how long it took; may be nil. A check that was ended is none.
	Checked func(c *backend.Candidate, o *backend.Observation, took time.Duration)
}

// Monitor probes the targets it was given until its context ends. It is safe for concurrent use.
type Monitor struct {
	prober Prober
	opts   Options
	notify chan struct{} // something to tell the user of this package
	wake   chan struct{} // something to do for the scheduler
	slots  chan struct{} // probes that run; one that was ended may take a moment to return
	jitter func(time.Duration) time.Duration

	mu      sync.Mutex
	entries map[backend.Key]*entry
	turns   turns
	known   map[backend.Key]Record // what was published before, until a target of that key comes
	hurried budget
	factor  int
	rounds  []*round
}

// New makes a Monitor without targets.
func New(p Prober, opts Options) *Monitor {
	if opts.Address == nil {
		opts.Address = func(t probe.Target) string { return address(t.Candidate) }
	}
	return &Monitor{
		prober: p, opts: opts, factor: 1, jitter: jitter, turns: newTurns(opts.Concurrency),
		notify: make(chan struct{}, 1), wake: make(chan struct{}, 1), slots: make(chan struct{}, opts.Concurrency),
		entries: map[backend.Key]*entry{}, known: map[backend.Key]Record{}, hurried: budget{},
	}
}

// Changed receives after observations have changed.
func (m *Monitor) Changed() <-chan struct{} { return m.notify }

// Remember takes over what was published before, by this process or by another: it counts as working until it has
// failed as often as anything else. Targets that are known to work or to fail are left alone. It replaces what an
// earlier call gave: what is published no more is remembered no more.
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

// Set replaces the targets. New ones, and those that are reached in another way than before, are probed at once and
// know nothing of the past; those whose endpoints changed are probed at once as well; those that are gone are
// forgotten. A probe that asks what is no longer a target ends, so that nobody waits for it. What is denied is not
// probed, and counts as failing from now on. Where a Service changes more often than its budget allows, "at once" is
// after an interval.
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

// take enters a target that is new or has changed, and is to be probed when it is due.
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

// drop forgets an entry, nil for none, and ends its probe.
func (m *Monitor) drop(e *entry) {
	if e == nil {
		return
	}
	if e.stop != nil {
		e.stop()
		m.turns.vacate(e)
	} else {
		m.turns.remove(e)
	}
}

// SetFactor stretches the interval: a follower asks less often. 1 is the interval itself.
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

// Recheck makes every target due now. The channel is closed when each was asked, or is gone; a probe that runs already
// counts.
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
	left map[backend.Key]bool
}

// asked enters into the rounds that a target was asked, or is gone.
func (m *Monitor) asked(key backend.Key) {
	m.rounds = slices.DeleteFunc(m.rounds, func(r *round) bool {
		delete(r.left, key)
		if len(r.left) == 0 {
			close(r.done)
		}
		return len(r.left) == 0
	})
}

// Observations are what counts now of each target that anything is known of.
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
