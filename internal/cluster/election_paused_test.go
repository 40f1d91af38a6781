package cluster

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// pauseAt pauses the process at its next request there. Receive from begun to know that it is, close resume to end it.
func (r *replica) pauseAt(place string) *pause {
	p := &pause{begun: make(chan struct{}), resume: make(chan struct{})}
	r.access.set(func(x *leaseAccess) { x.pauses[place] = p })
	return p
}

// A follower that was paused for long, and wakes with an answer from before, does not judge by it: it has seen no
// change for ten minutes, and neither has it looked.
func TestFollowerPaused(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	for _, place := range []string{"before a read", "after a read"} {
		for phase := range 10 { // an answer that shows a change, and others
			synctest.Test(t, func(t *testing.T) {
				server, a, b := pair(t)
				<-time.After(time.Duration(phase) * 200 * time.Millisecond)
				p := b.pauseAt(place)
				<-p.begun
				<-time.After(10 * time.Minute)
				close(p.resume)
				<-time.After(time.Minute)
				if n := b.writes(); b.Leading() || !a.Leading() || n > 0 {
					t.Errorf("%s, phase %d: a leads: %v, b leads: %v, and has written %d times", place, phase, a.Leading(), b.Leading(), n)
				}
				a.kill()
				b.leads(t, server.written(), takeover)
			})
		}
	}
}

// A follower that is paused while it takes over finds, when it wakes, that another has; it has led at no time.
func TestPausedAtTakeover(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	for _, place := range []string{"before a write", "after a write"} {
		t.Run(place, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, a, b := pair(t)
				a.kill()
				p := b.pauseAt(place)
				<-p.begun
				c := start(t, server, "c")
				<-time.After(10 * time.Minute)
				if b.Leading() || !c.Leading() {
					t.Fatalf("while b is paused: b leads %v, c leads %v", b.Leading(), c.Leading())
				}
				close(p.resume)
				<-time.After(time.Minute)
				if b.log.count(`"this replica leads"`) > 0 || !c.Leading() || server.holder() != "c" {
					t.Errorf("b has led, or c does not; the lease is held by %q", server.holder())
				}
				c.kill()
				b.leads(t, server.written(), takeover)
			})
		})
	}
}

// A replica that took the lease and was not told finds it its own.
func TestAnswerLost(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		server, a, b := pair(t)
		b.access.set(func(x *leaseAccess) { x.mute = true })
		a.stop()
		within(t, look, "the lease is the second's", func() bool { return server.holder() == "b" })
		if b.Leading() {
			t.Error("leads, and does not know")
		}
		b.access.set(func(x *leaseAccess) { x.mute = false })
		b.leads(t, time.Now(), look)
	})
}

// A leader that was paused between two renewals beyond its term, and was asked meanwhile whether it leads, says so when
// it leads again: else what was not written for that reason stays unwritten.
func TestLeaderPausedBetweenRenewals(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		r := &replica{log: &replicaLog{}}
		o := electionOptions("a")
		o.Log = slog.New(slog.NewTextHandler(r.log, nil))
		e := NewElector(&leaseAccess{}, o)
		r.Elector = e
		e.lead(time.Now().Add(e.term), "")
		if !e.Leading() || !r.told() {
			t.Fatal("does not lead, or nobody was told")
		}
		<-time.After(e.term + time.Second)
		if e.Leading() || !r.told() {
			t.Error("leads beyond its term, or nobody was told that it ended")
		}
		e.lead(time.Now().Add(e.term), "")
		if !e.Leading() || !r.told() {
			t.Error("does not lead again, or nobody was told")
		}
		if r.log.count(`"this replica leads"`) != 2 || r.log.count(`"this replica no longer leads"`) != 1 {
			t.Errorf("the log:\n%s", r.log.b.String())
		}
	})
}
