package health

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Run probes the targets that are due until ctx ends, and then waits for the running probes.
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

// startDue starts the probes that are due and have a slot. It returns the time until the next target is due.
func (m *Monitor) startDue(ctx context.Context, wg *sync.WaitGroup) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	wait := m.opts.Interval
	if next := m.turns.due(now); !next.IsZero() {
		wait = next.Sub(now)
	}
	for e := m.turns.next(); e != nil; e = m.turns.next() {
		target := e.target // Set may replace it before the probe begins
		var asking context.Context
		asking, e.stop = context.WithCancel(ctx)
		wg.Go(func() { m.check(asking, e, target) })
	}
	return wait
}

// check probes one target and records the result.
func (m *Monitor) check(ctx context.Context, e *entry, t probe.Target) {
	o, took := m.ask(ctx, t)
	m.mu.Lock()
	defer m.mu.Unlock()
	defer poke(m.wake)
	ended, again := ctx.Err() != nil, e.again
	e.stop()
	e.stop, e.again = nil, false
	m.turns.vacate(e)
	m.turns.release(e)
	switch {
	case m.entries[t.Candidate.Key()] != e:
		return // the target was removed or replaced while it was probed
	case ended: // to free the slot for another namespace, or because Run ends
		e.front = true
		m.turns.add(e)
		return
	}
	m.asked(t.Candidate.Key())
	now := time.Now()
	changed := e.enter(o, now, m.opts)
	m.shown.keep(e)
	e.front, e.fresh = false, again
	if again {
		e.change(e.target, e.address, now)
		m.turns.add(e)
	} else {
		e.due = now.Add(m.pause(e))
		m.turns.wait(e)
	}
	if changed {
		poke(m.notify)
	}
	if m.opts.Checked != nil {
		m.opts.Checked(t.Candidate, &o, took)
	}
}

// ask probes one target once a slot is free: a cancelled probe may still use one for a moment.
func (m *Monitor) ask(ctx context.Context, t probe.Target) (o backend.Observation, took time.Duration) {
	select {
	case <-ctx.Done():
		return o, 0
	case m.slots <- struct{}{}:
	}
	defer func() { <-m.slots }()
	began := time.Now()
	o = m.prober.Probe(ctx, t)
	return o, time.Since(began)
}

// pause returns the time to the next check of an entry.
func (m *Monitor) pause(e *entry) time.Duration {
	return m.jitter(e.pause(time.Duration(m.factor) * m.opts.Interval))
}

// jitter varies d by a tenth, so that backends that were found together are not always probed together.
func jitter(d time.Duration) time.Duration {
	return d*9/10 + rand.N(d/5+1) //nolint:gosec // not a secret
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
