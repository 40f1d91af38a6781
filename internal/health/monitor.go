// Package health watches backends: it probes each again and again and says what is known of it, without flapping. A backend
// counts as working from its first success, and as failing only after several failed checks in a row (DTS-PRB-7).
package health

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Prober asks one backend; probe.Prober is the one.
type Prober interface {
	Probe(ctx context.Context, t probe.Target) backend.Observation
}

// Options of a Monitor.
type Options struct {
	Interval    time.Duration // between two checks of one backend, give or take a tenth
	Threshold   int           // failed checks in a row, at most one an interval, until it counts as failing
	Concurrency int           // checks at once
	// Checked is told of each check and how long it took; may be nil.
	Checked func(c *backend.Candidate, o *backend.Observation, took time.Duration)
}

// Monitor probes the targets it was given until its context ends. It is safe for concurrent use.
type Monitor struct {
	prober Prober
	opts   Options
	notify chan struct{} // something to tell the user of this package
	wake   chan struct{} // something to do for the scheduler

	mu      sync.Mutex
	entries map[backend.Key]*entry
	known   map[backend.Key]Record // what was published before, until a target of that key comes
	factor  int
	running int
	rounds  []*round
}

// New makes a Monitor without targets.
func New(p Prober, opts Options) *Monitor {
	return &Monitor{
		prober: p, opts: opts, factor: 1,
		notify: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		entries: map[backend.Key]*entry{}, known: map[backend.Key]Record{},
	}
}

// Changed receives after observations have changed.
func (m *Monitor) Changed() <-chan struct{} { return m.notify }

// Remember takes over what was published before, by this process or by another: it counts as working until it has failed
// as often as anything else. Targets that are known to work or to fail are left alone. It replaces what an earlier call
// gave: what is published no more is remembered no more.
func (m *Monitor) Remember(records map[backend.Key]Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.known)
	for key, r := range records {
		e := m.entries[key]
		if e == nil {
			m.known[key] = r
		} else if e.good == nil && e.failures < m.opts.Threshold {
			e.remember(r)
		}
	}
}

// Set replaces the targets. New ones, and those that are reached in another way than before, are probed at once and know
// nothing of the past; those whose endpoints changed are probed at once as well; those that are gone are forgotten. A probe
// that asks what is no longer a target ends, so that nobody waits for it.
func (m *Monitor) Set(targets []probe.Target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	wanted := make(map[backend.Key]bool, len(targets))
	for _, t := range targets {
		key := t.Candidate.Key()
		wanted[key] = true
		e := m.entries[key]
		if e == nil || e.identity != identity(t.Candidate) {
			e.end()
			e = &entry{target: t, identity: identity(t.Candidate), due: now, tried: t.Candidate.Unproven}
			if r, ok := m.known[key]; ok {
				e.remember(r)
			}
			m.entries[key] = e
		} else if e.target.Candidate != t.Candidate || e.target.Endpoints != t.Endpoints {
			e.target = t
			e.due, e.again = now, e.stop != nil
		}
		delete(m.known, key)
	}
	for key := range m.entries {
		if !wanted[key] {
			m.entries[key].end()
			delete(m.entries, key)
			m.asked(key)
		}
	}
	poke(m.wake)
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
		if limit := now.Add(m.next()); e.due.After(limit) {
			e.due = limit
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
		e.due = now
		if !e.target.Candidate.Unproven {
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

// Run probes what is due until ctx ends, and then waits for the probes that still run.
func (m *Monitor) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case <-timer.C:
		}
		timer.Reset(m.startDue(ctx, &wg))
	}
}

// startDue starts the probes that are due, the longest overdue first, and returns the time until the next one.
func (m *Monitor) startDue(ctx context.Context, wg *sync.WaitGroup) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	var due []*entry
	next := now.Add(m.opts.Interval)
	for _, e := range m.entries {
		switch {
		case e.stop != nil || e.target.Candidate.Unproven: // nothing to start
		case e.due.After(now):
			next = earlier(next, e.due)
		default:
			due = append(due, e)
		}
	}
	slices.SortFunc(due, func(a, b *entry) int {
		return cmp.Or(a.due.Compare(b.due), a.target.Candidate.Service.Ref.Compare(b.target.Candidate.Service.Ref))
	})
	for _, e := range due[:min(len(due), max(0, m.opts.Concurrency-m.running))] {
		target := e.target // it may be replaced before the probe has begun
		var asking context.Context
		asking, e.stop = context.WithCancel(ctx)
		m.running++
		wg.Go(func() { m.check(asking, e, target) })
	}
	return next.Sub(now)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// check probes one target and enters what came of it.
func (m *Monitor) check(ctx context.Context, e *entry, t probe.Target) {
	began := time.Now()
	o := m.prober.Probe(ctx, t)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running--
	poke(m.wake)
	now := time.Now()
	stopped := ctx.Err() != nil
	e.end()
	e.stop = nil
	if stopped || m.entries[t.Candidate.Key()] != e {
		return // what was seen is about something else by now
	}
	m.asked(t.Candidate.Key())
	e.due = now.Add(m.next())
	if e.again {
		e.again, e.due = false, now
	}
	if e.enter(o, now, m.opts) {
		poke(m.notify)
	}
	if m.opts.Checked != nil {
		m.opts.Checked(t.Candidate, &o, now.Sub(began))
	}
}

// next is the time to the next check, with jitter so that backends found together are not asked together for ever.
func (m *Monitor) next() time.Duration {
	interval := time.Duration(m.factor) * m.opts.Interval
	return interval*9/10 + rand.N(interval/5+1) //nolint:gosec // not a secret
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
