package health

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// many are targets of one namespace, each named after it and a number.
func many(namespace string, n int) []probe.Target {
	var list []probe.Target
	for i := range n {
		t := target(fmt.Sprint(namespace, i))
		t.Candidate.Service.Namespace = namespace
		t.Candidate.Host = t.Candidate.Service.Name + "." + namespace + ".svc"
		list = append(list, t)
	}
	return list
}

// lasting has the probes of targets take a while.
func (s *script) lasting(d time.Duration, targets []probe.Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range targets {
		s.takes[t.Candidate.Service.Name] = d
	}
}

// taken are the slots that each namespace has.
func (m *Monitor) taken() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	slots := map[string]int{}
	for _, e := range m.turns.active {
		slots[e.namespace()]++
	}
	return slots
}

// triedOf is how many of the targets were probed to the end.
func (m *Monitor) triedOf(targets []probe.Target) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, t := range targets {
		if e := m.entries[t.Candidate.Key()]; e != nil && e.tried {
			n++
		}
	}
	return n
}

func TestSlotsAreShared(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript()
	opts := usual
	opts.Concurrency = 8
	run(t, s, opts, func(m *Monitor) {
		var targets []probe.Target
		for n := range 5 {
			targets = append(targets, many(string(rune('a'+n)), 20)...)
			s.lasting(time.Hour, targets)
			m.Set(targets)
			pass(time.Millisecond)
			got := slices.Collect(maps.Values(m.taken()))
			if len(got) != n+1 || slices.Max(got)-slices.Min(got) > 1 {
				t.Errorf("%d namespaces have %v of 8 slots", n+1, m.taken())
			}
			if s.top > 8 || s.now != 8 {
				t.Errorf("%d namespaces: %d probes run, at most %d at once, want 8", n+1, s.now, s.top)
			}
		}
		if m.Tried() {
			t.Error("no probe has ended, and all were tried")
		}
		m.Set(many("a", 20))
		pass(time.Millisecond)
		if got := m.taken(); got["a"] != 8 {
			t.Errorf("alone again: %v, want all slots", got)
		}
	})
}

// What is ended for another namespace has neither failed nor been checked, and comes to its end all the same.
func TestEndedProbes(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript()
	opts := usual
	checked := map[string]int{}
	opts.Checked = func(c *backend.Candidate, _ *backend.Observation, _ time.Duration) { checked[c.Service.Name]++ }
	run(t, s, opts, func(m *Monitor) {
		a := many("a", 7)
		for _, x := range a {
			s.set(x.Candidate.Service.Name, backend.Ready)
		}
		m.Set(a)
		pass(time.Second)
		s.lasting(10*time.Second, a)
		s.lingers = 50 * time.Millisecond
		round := m.Recheck()
		for range 60 { // each second four targets of another namespace want all slots
			b := many("b", 4)
			s.lasting(100*time.Millisecond, b)
			m.Set(slices.Concat(a, b))
			pass(time.Second)
		}
		if !over(round) {
			t.Error("not all were checked within a minute, though half of the slots were theirs")
		}
		ended := 0
		for _, x := range a {
			name := x.Candidate.Service.Name
			if checked[name] < 2 || checked[name] > 4 || m.entries[x.Candidate.Key()].failures > 0 {
				t.Errorf("%s: checked %d times, %d failures", name, checked[name], m.entries[x.Candidate.Key()].failures)
			}
			ended += s.count(name) - checked[name] - 1
		}
		if ended < 10 {
			t.Errorf("%d probes were ended: the test shows nothing", ended)
		}
		if s.top > opts.Concurrency {
			t.Errorf("%d probes at once", s.top)
		}
	})
}

// Where each has a slot's worth and no more, turns go round.
func TestTurnsGoRound(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript()
	opts := usual
	opts.Concurrency = 1
	run(t, s, opts, func(m *Monitor) {
		a, b, c := many("a", 20), many("b", 20), many("c", 20)
		all := slices.Concat(a, b, c)
		s.lasting(time.Second, all)
		m.Set(all)
		pass(30500 * time.Millisecond)
		if x, y, z := m.triedOf(a), m.triedOf(b), m.triedOf(c); x != 10 || y != 10 || z != 10 {
			t.Errorf("after 30 s: %d, %d and %d, want ten of each namespace", x, y, z)
		}
	})
}

// What was ended comes before what is new in its namespace: new ones without end cannot keep it from its end.
func TestEndedComesFirst(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript()
	opts := usual
	opts.Concurrency = 2
	run(t, s, opts, func(m *Monitor) {
		a, b := many("a", 3), many("b", 1)
		old, fresh := a[:2], a[2:]
		m.Set(old)
		pass(time.Second)
		s.lasting(20*time.Second, old)
		s.lasting(time.Hour, fresh)
		s.lasting(5*time.Second, b)
		round := m.Recheck()
		pass(time.Second)
		m.Set(slices.Concat(old, b)) // ends one
		pass(time.Second)
		m.Set(slices.Concat(old, b, fresh))
		pass(25 * time.Second)
		if !over(round) {
			t.Error("what is new came before what was ended")
		}
	})
}

func TestNewBeforeOthers(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript()
	opts := usual
	opts.Concurrency = 1
	run(t, s, opts, func(m *Monitor) {
		old := many("a", 21)
		m.Set(old[:20])
		pass(time.Second)
		s.lasting(time.Second, old)
		m.Recheck()
		pass(1500 * time.Millisecond)
		m.Set(old)
		pass(2 * time.Second)
		if m.triedOf(old) != 21 {
			t.Error("a new target waits for those that are checked again")
		}
	})
}

// Targets of one namespace at one address wait for each other, without a slot, and keep no others waiting.
func TestSameAddress(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript()
	opts := usual
	opts.Concurrency = 3
	run(t, s, opts, func(m *Monitor) {
		twins := many("a", 10)
		other := many("a", 11)[10:]
		stranger := many("b", 1)
		for _, x := range slices.Concat(twins, stranger) {
			x.Candidate.Service.ClusterIP = "10.0.0.1"
		}
		s.lasting(time.Second, slices.Concat(twins, stranger))
		m.Set(twins)
		pass(500 * time.Millisecond)
		m.Set(slices.Concat(twins, other, stranger))
		pass(time.Millisecond)
		if m.triedOf(other) != 1 {
			t.Error("a target at another address waits for those at this one")
		}
		pass(time.Second)
		if m.triedOf(stranger) != 1 {
			t.Error("another namespace waits for them")
		}
		pass(3 * time.Second)
		if n := m.triedOf(twins); n != 4 {
			t.Errorf("%d twins after four and a half seconds, want 4: one after the other", n)
		}
		m.Set(twins[9:]) // the one that runs goes, and those that wait
		pass(1100 * time.Millisecond)
		if m.triedOf(twins[9:]) != 1 {
			t.Error("what holds the address is gone, and the last one waits still")
		}
	})
}

func TestWhatNeverWorkedIsAskedLess(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript("worked")
	s.set("never", backend.Unreachable)
	run(t, s, usual, func(m *Monitor) {
		m.jitter = func(d time.Duration) time.Duration { return d }
		worked, never := target("worked"), target("never")
		m.Set([]probe.Target{worked, never})
		pass(time.Second)
		s.set("worked", backend.Unreachable)
		was := 0
		expect := func(what string, after time.Duration, want int) {
			t.Helper()
			pass(after)
			if n := s.count("never") - was; n != want {
				t.Errorf("%s: probed %d times, want %d", what, n, want)
			}
			was = s.count("never")
		}
		expect("at first", 30*time.Second, 2)                 // 0, 30
		expect("then after 1, 2 and 4 min", 7*time.Minute, 3) // 90, 210, 450
		expect("then each 5 min", time.Hour, 12)
		if n := s.count("worked"); n < 135 {
			t.Errorf("what has worked before was probed %d times in 67 minutes, want each 30 s", n)
		}
		changed := never
		changed.Endpoints = &backend.Endpoints{}
		m.Set([]probe.Target{worked, changed})
		expect("after a change", 31*time.Second, 2)
		s.set("never", backend.Ready)
		<-m.Recheck()
		s.set("never", backend.Unreachable)
		was = s.count("never")
		expect("once it has worked", 10*time.Minute, 20)
	})
}

func TestLongIntervalIsKept(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	e := &entry{}
	for misses, want := range map[int]time.Duration{1: 10 * time.Minute, 2: 10 * time.Minute, 9: 10 * time.Minute} {
		e.misses = misses
		if got := e.pause(10 * time.Minute); got != want {
			t.Errorf("after %d failures: %s, want %s", misses, got, want)
		}
	}
}

// Half of a namespace's backends hang, and the others are known as soon as ever.
func TestHalfOfThemHang(t *testing.T) {
	t.Attr("req", "DTS-PERF-8")
	s := newScript()
	opts := usual
	opts.Concurrency = usualSlots
	run(t, s, opts, func(m *Monitor) {
		all := many("monitoring", 400)
		for i := range all {
			s.lasting(100*time.Millisecond, all[i:i+1])
			if i%2 == 0 {
				s.lasting(18*time.Second, all[i:i+1])
			}
		}
		m.Set(all)
		pass(2 * time.Second)
		if n := m.triedOf(all); n != 200 {
			t.Errorf("%d are known after two seconds, want the 200 that answer", n)
		}
	})
}
