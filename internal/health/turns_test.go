package health

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Whatever comes and goes, all that is there in the end is probed, and nothing is left behind.
func TestTurnsAddUp(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { turnsAddUp(t, rand.New(rand.NewPCG(1, seed))) })
	}
}

func turnsAddUp(t *testing.T, random *rand.Rand) {
	t.Helper()
	s := &places{script: newScript(), busy: map[string]int{}}
	opts := usual
	opts.Concurrency = 1 + random.IntN(8)
	synctest.Test(t, func(t *testing.T) {
		m := New(s, opts)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { m.Run(ctx) })
		targets := slices.Concat(many("a", 30), many("b", 5), many("c", 2), many("d", 1))
		for _, x := range targets {
			x.Candidate.Service.ClusterIP = "10.0.0.1" // so that their addresses differ by the port alone
		}
		for range 300 {
			i := random.IntN(len(targets))
			changed := *targets[i].Candidate
			targets[i].Candidate = &changed
			switch random.IntN(4) {
			case 0:
				changed.PortNumber = 9090 + random.Int32N(3)
			case 1:
				s.takes[changed.Service.Name] = time.Duration(random.Int64N(int64(20 * time.Second)))
			case 2:
				m.Recheck()
			}
			m.SetFactor(1 + random.IntN(2)*3)
			from := random.IntN(len(targets) / 4)
			m.Set(targets[from:])
			pass(time.Duration(random.Int64N(int64(2 * time.Second))))
		}
		for name := range s.takes {
			s.takes[name] = time.Second
		}
		m.Set(targets)
		round := m.Recheck()
		pass(3 * time.Minute)
		if !over(round) {
			t.Error("the round has not ended")
		}
		if !m.Tried() || s.top > opts.Concurrency || s.twice {
			t.Errorf("all tried: %v, %d at once of %d, two at one place: %v", m.Tried(), s.top, opts.Concurrency, s.twice)
		}
		s.mu.Lock()
		for name := range s.takes {
			s.takes[name] = 0
		}
		s.mu.Unlock()
		pass(10 * time.Minute)
		m.mu.Lock()
		u := &m.turns
		if len(u.later) != len(targets) || len(u.active)+len(u.held)+len(u.lanes) > 0 {
			t.Errorf("left: %d later of %d, %d active, %d held, %d lanes",
				len(u.later), len(targets), len(u.active), len(u.held), len(u.lanes))
		}
		m.mu.Unlock()
		stop()
		running.Wait()
	})
}

// places is a script that sees two probes of one namespace at one address.
type places struct {
	*script
	busy  map[string]int
	twice bool
}

func (p *places) Probe(ctx context.Context, t probe.Target) backend.Observation {
	at := t.Candidate.Service.Namespace + probe.Address(t)
	count := func(n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.busy[at] += n
		p.twice = p.twice || p.busy[at] > 1
	}
	count(1)
	defer count(-1)
	return p.script.Probe(ctx, t)
}

// BenchmarkProbeEnd is what the scheduler does at each end of a probe. It fails where a hundred times as many targets make that
// much dearer, as sorting them, or walking all, would.
func BenchmarkProbeEnd(b *testing.B) {
	for _, flooded := range []bool{false, true} {
		name, cost := "quiet/", map[int]time.Duration{}
		if flooded {
			name = "flooded/"
		}
		for _, n := range []int{100, 10_000} {
			b.Run(fmt.Sprint(name, n), func(b *testing.B) {
				const some = 1000 // of which the fastest count: the machine does other things too
				ends, begin := 0, time.Now()
				cost[n] = time.Hour
				probeEnds(n, flooded, func() bool {
					if ends++; ends%some == 0 {
						cost[n] = min(cost[n], time.Since(begin)/some)
						begin = time.Now()
					}
					return b.Loop()
				})
			})
		}
		if few, lots := cost[100], cost[10_000]; few > 0 && lots > 4*few && lots < time.Hour {
			b.Errorf("%san end takes %s with 100 targets and %s with 10,000", name, few, lots)
		}
	}
}

// probeEnds ends probes of n targets: where it is quiet, one after the other as each is due; else they are all due and
// have all slots, and another namespace's comes between each two.
func probeEnds(n int, flooded bool, more func() bool) {
	const interval = 30 * time.Second
	turns := newTurns(64)
	now := time.Now()
	for i, t := range many("a", n) {
		e := &entry{target: t, address: t.Candidate.Host, due: now}
		if !flooded {
			e.due = now.Add(interval * time.Duration(i) / time.Duration(n))
		}
		turns.wait(e)
	}
	start := func() {
		for e := turns.next(); e != nil; e = turns.next() {
			e.stop = func() {}
		}
	}
	end := func(e *entry, pause time.Duration) {
		turns.vacate(e)
		turns.release(e)
		e.due = now.Add(pause)
		turns.wait(e)
	}
	other := &entry{target: many("b", 1)[0], address: "b", due: now}
	for more() {
		if !flooded {
			now = turns.later[0].due
			turns.due(now)
			start()
			end(turns.active[0], interval)
			continue
		}
		turns.due(now)
		start()
		turns.add(other)
		start()
		turns.vacate(other)
		turns.release(other)
		end(turns.active[0], 0)
	}
}
