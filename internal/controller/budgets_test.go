package controller

import (
	"testing"
	"time"
)

// However many changes could not wait, a namespace is not shut out for ever.
func TestTurnsOwed(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	const evil = "evil"
	now, u := time.Now(), newTurns()
	for range 100 {
		u.take(evil, now)
		now = now.Add(time.Second)
	}
	if wait := u.wait(evil, now); wait > 3*time.Minute || wait < 2*time.Minute-time.Second {
		t.Errorf("after a hundred changes it waits %s", wait)
	}
	now = now.Add(u.wait(evil, now))
	for range 5 {
		if u.wait(evil, now) != 0 {
			t.Fatalf("it waits %s more", u.wait(evil, now))
		}
		u.take(evil, now)
		if wait := u.wait(evil, now); wait != turnWait {
			t.Errorf("then it waits %s, want %s", wait, turnWait)
		}
		now = now.Add(turnWait)
	}
	if u.wait("other", now) != 0 {
		t.Error("another namespace waits")
	}
	now = now.Add(time.Hour)
	if u.take("other", now); len(u.last) != 1 || len(u.budget.of) != 1 || u.wait(evil, now) != 0 {
		t.Error("it is never forgotten")
	}
}

// Three changes go without any wait; before the others of a burst, what else changes is gathered.
func TestTurnsAreGathered(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	now, u := time.Now(), newTurns()
	for i := range turnBurst {
		want := time.Duration(0)
		if i >= turnQuick {
			want = turnGap - time.Second
		}
		if wait := u.wait("ns", now); wait != want {
			t.Errorf("before change %d it waits %s, want %s", i+1, wait, want)
		}
		now = now.Add(want)
		u.take("ns", now)
		now = now.Add(time.Second)
	}
	if wait := u.wait("ns", now); wait < turnGap {
		t.Errorf("after all of them it waits %s", wait)
	}
}
