package controller

import "time"

// How often one namespace may change the document (DTS-PRB-7). What it changes meanwhile waits for its next turn, together.
const (
	turnBurst = 7                // changes at once
	turnQuick = 3                // of them without any wait; before the others it is gathered for turnGap what else changes
	turnGap   = 5 * time.Second  //
	turnWait  = 30 * time.Second // until there is one more; the longest that a withdrawal waits
	turnDebt  = 4                // turns that are owed, at most: what must be withdrawn at once does not wait, and neither may its return for long
)

// turns are those of one namespace. A nil one has all of them.
type turns struct {
	left    int
	next    time.Time // when there is one more
	last    time.Time // when the last was taken
	waiting time.Time // since when a withdrawal waits; zero while none does
}

// wait is how long it is until the namespace may change the document; 0 for now.
func (t *turns) wait(now time.Time) time.Duration {
	if t == nil {
		return 0
	}
	t.refill(now)
	switch {
	case t.left <= 0:
		return t.next.Sub(now) + time.Duration(-t.left)*turnWait
	case t.left <= turnBurst-turnQuick:
		return max(0, t.last.Add(turnGap).Sub(now))
	}
	return 0
}

// overdue reports whether a withdrawal has waited long enough, whatever else the namespace has changed.
func (t *turns) overdue(now time.Time) bool {
	return t != nil && !t.waiting.IsZero() && now.Sub(t.waiting) >= turnWait
}

// take enters that the namespace has changed the document.
func (t *turns) take(now time.Time) {
	t.refill(now)
	if t.left == turnBurst {
		t.next = now.Add(turnWait)
	}
	t.left = max(t.left-1, -turnDebt)
	if t.left <= 0 {
		t.next = now.Add(turnWait)
	}
	t.last = now
}

func (t *turns) refill(now time.Time) {
	for t.left < turnBurst && !now.Before(t.next) {
		t.left++
		t.next = t.next.Add(turnWait)
	}
}

// full reports that it is as if the namespace had never changed anything.
func (t *turns) full(now time.Time) bool {
	t.refill(now)
	return t.left >= turnBurst && t.waiting.IsZero()
}
