package health

import (
	"context"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// red answers as a search cluster with a red index does.
type red struct{ *script }

func (r red) Probe(ctx context.Context, t probe.Target) backend.Observation {
	o := r.script.Probe(ctx, t)
	if o.Outcome == backend.NotReady {
		o.Degraded = "its health is red"
	}
	return o
}

// What answers only a part keeps a new backend out, and withdraws none that is published.
func TestDegraded(t *testing.T) {
	t.Attr("req", "DTS-PRB-1")
	s := newScript()
	s.set("new", backend.NotReady)
	s.set("known", backend.NotReady)
	s.set("worked", backend.Ready)
	run(t, red{s}, usual, func(m *Monitor) {
		m.Remember(map[backend.Key]Record{key("known"): {Port: 9090, Observation: backend.Observation{Outcome: backend.Ready}}})
		m.Set([]probe.Target{target("new"), target("known"), target("worked")})
		pass(time.Millisecond)
		s.set("worked", backend.NotReady)
		pass(10 * time.Minute)
		for name, want := range map[string]backend.Outcome{"new": backend.NotReady, "known": backend.Ready, "worked": backend.Ready} {
			if o := m.Observations()[key(name)]; o.Outcome != want || o.Degraded == "" {
				t.Errorf("%s: %s, degraded %q; want %s", name, o.Outcome, o.Degraded, want)
			}
		}
		s.set("worked", backend.Unreachable)
		pass(2 * time.Minute)
		if got := outcome(m, "worked"); got != backend.Unreachable {
			t.Errorf("one that was degraded and does not answer at all any more: %s", got)
		}
	})
}
