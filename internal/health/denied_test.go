package health

import (
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// changed is a target whose endpoints have changed.
func changed(name string) probe.Target {
	t := target(name)
	t.Endpoints = &backend.Endpoints{}
	return t
}

func expectDenied(t *testing.T, m *Monitor, name string) {
	t.Helper()
	o, known := m.Observations()[key(name)]
	if !known || o.Outcome != backend.Unreachable || o.Cause != backend.CauseDenied {
		t.Errorf("%s: %+v, want denied", name, o)
	}
}

// over reports whether a channel receives, or is closed.
func over(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestDeniedAtOnce(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	for _, unproven := range []bool{false, true} {
		s := newScript("a")
		with := func(t probe.Target) []probe.Target {
			t.Candidate.Unproven = unproven
			return []probe.Target{t}
		}
		run(t, s, usual, func(m *Monitor) {
			s.denied["a"] = true
			m.Set(with(target("a")))
			expectDenied(t, m, "a")
			if !over(m.Changed()) || !m.Tried() {
				t.Error("nobody is told of a new one that is denied, or it is waited for")
			}
			round := m.Recheck()
			pass(time.Hour)
			if !over(round) {
				t.Error("it is waited for")
			}
			if s.count("a") != 0 {
				t.Error("it is probed")
			}

			delete(s.denied, "a")
			m.Set(with(changed("a")))
			if o := m.Observations()[key("a")]; o.Cause != "" {
				t.Errorf("denied no longer: %+v", o)
			}
			pass(time.Second)
			if got := outcome(m, "a"); !unproven && got != backend.Ready {
				t.Errorf("denied no longer, and probed: %q", got)
			}

			s.denied["a"] = true
			over(m.Changed())
			m.Set(with(changed("a")))
			expectDenied(t, m, "a") // whatever the threshold
			if !over(m.Changed()) {
				t.Error("nobody is told of a published one that is denied")
			}
			before := s.count("a")
			pass(time.Hour)
			expectDenied(t, m, "a")
			if s.count("a") != before {
				t.Error("it is probed again")
			}
		})
	}
}

// A probe that runs when its target is denied says nothing any more.
func TestDeniedWhileProbed(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	s := newScript("a")
	run(t, s, usual, func(m *Monitor) {
		m.Set([]probe.Target{target("a")})
		pass(time.Second)
		s.takes["a"] = time.Minute
		round := m.Recheck()
		pass(time.Second)
		s.denied["a"] = true
		m.Set([]probe.Target{changed("a")})
		expectDenied(t, m, "a")
		pass(time.Hour)
		if !over(round) {
			t.Error("it is waited for")
		}
		expectDenied(t, m, "a")
		if s.now != 0 {
			t.Error("it is still probed")
		}
	})
}

func TestDeniedIsNotRemembered(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	s := newScript()
	s.denied["a"], s.denied["b"] = true, true
	run(t, s, usual, func(m *Monitor) {
		was := map[backend.Key]Record{}
		for _, name := range []string{"a", "b"} {
			was[key(name)] = Record{Port: 9090, Observation: backend.Observation{Outcome: backend.Ready, Scheme: "http"}}
		}
		m.Set([]probe.Target{target("a")})
		m.Remember(was)
		expectDenied(t, m, "a")
		m.Set([]probe.Target{target("a"), target("b")})
		expectDenied(t, m, "a")
		expectDenied(t, m, "b")
	})
}

// Only the connection shows it, as where a name leads to a denied address.
func TestProbeComesBackDenied(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	s := newScript("a")
	run(t, s, usual, func(m *Monitor) {
		m.Set([]probe.Target{target("a")})
		pass(time.Second)
		s.cause = backend.CauseDenied
		s.set("a", backend.Unreachable)
		over(m.Changed())
		pass(35 * time.Second)
		expectDenied(t, m, "a")
		if !over(m.Changed()) {
			t.Error("nobody is told")
		}
		m.Remember(map[backend.Key]Record{key("a"): {Port: 9090, Observation: backend.Observation{Outcome: backend.Ready}}})
		expectDenied(t, m, "a")
		s.cause = ""
		s.set("a", backend.Ready)
		pass(35 * time.Second)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("denied no longer: %q", got)
		}
	})
}
