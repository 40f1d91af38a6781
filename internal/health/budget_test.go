package health

import (
	"fmt"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// tenanted are the targets of one Service with fifty tenants, made anew.
func tenanted(name string) (list []probe.Target) {
	for i := range 50 {
		t := target(name)
		c := *t.Candidate
		c.Tenant = fmt.Sprint("t", i)
		list = append(list, probe.Target{Candidate: &c})
	}
	return list
}

// Who changes a Service of fifty tenants twenty times a second does not have each asked each time; nobody else waits, and none of
// its own is put off for ever.
func TestChangesOfOneServiceHaveABudget(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	const seconds = 60
	s := newScript("evil", "good")
	run(t, s, usual, func(m *Monitor) {
		for i := range 20 * seconds {
			targets := tenanted("evil")
			if i == 10*seconds {
				targets = append(targets, target("good"))
			}
			m.Set(targets)
			pass(50 * time.Millisecond)
			if i == 10*seconds && outcome(m, "good") != backend.Ready {
				t.Error("another's new one waits")
			}
		}
		// What the budget has at first, what comes in a minute, and three rounds of checks.
		asked, most := s.count("evil"), hurriedAtOnce+hurriedASecond*seconds+3*50
		if asked > most || asked < 100 {
			t.Errorf("asked %d times in a minute, want 100 to %d", asked, most)
		}
	})
}

// A backend that is published, and whose Service changes all the time, is found dead as soon as any other.
func TestChangesPutNoCheckOff(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript("a")
	run(t, s, usual, func(m *Monitor) {
		m.Set([]probe.Target{target("a")})
		pass(time.Second)
		s.set("a", backend.Unreachable)
		for range 20 * 300 {
			m.Set([]probe.Target{target("a")})
			pass(50 * time.Millisecond)
		}
		if got := outcome(m, "a"); got != backend.Unreachable {
			t.Errorf("after five minutes it is %q", got)
		}
	})
}

// The targets of a Service over its budget wait for their regular checks. The checks of others do not wait for these.
func TestBudgetPutsNoOtherCheckOff(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript("evil", "good")
	run(t, s, usual, func(m *Monitor) {
		m.jitter = func(d time.Duration) time.Duration { return d }
		good := target("good")
		m.Set([]probe.Target{good})
		pass(20 * time.Second)
		for range 10 {
			m.Set(append(tenanted("evil"), good))
			pass(time.Second)
		}
		pass(5 * time.Second)
		if n := s.count("good"); n != 2 {
			t.Errorf("a backend of another Service was probed %d times in 35 seconds, want twice", n)
		}
	})
}
