package controller

import (
	"testing"
	"time"
)

// Each budget allows its burst at once and then one after each wait, whoever else has spent theirs.
func TestBudgets(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	t.Attr("req", "DTS-ANN-1")
	const first, later = "in the first minute", "in each later minute"
	for _, tt := range []struct {
		name   string
		budget budgets
		every  time.Duration // between two attempts
		want   map[string]int
	}{
		{"reports about an owner's Services", budgets{burst: ownerBurst, wait: ownerWait}, 400 * time.Millisecond, map[string]int{first: 7, later: 2}},
		{"publications of a namespace", budgets{burst: budgetBurst, wait: budgetWait}, 400 * time.Millisecond, map[string]int{first: 89, later: 30}},
		{"changes of the document", budgets{burst: turnBurst, wait: turnWait}, 400 * time.Millisecond, map[string]int{first: 7, later: 2}},
		{"less than it allows", budgets{burst: 2, wait: 10 * time.Second}, 20 * time.Second, map[string]int{first: 3, later: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, now := &tt.budget, time.Now()
			minute := func() (taken int) {
				for range time.Minute / tt.every {
					until := b.until("evil", now)
					if left := b.left("evil", now) > 0; left != (until == 0) {
						t.Fatalf("left %d, and there is one in %s", b.left("evil", now), until)
					}
					if b.take("evil", now) {
						taken++
					}
					now = now.Add(tt.every)
				}
				return taken
			}
			if n := minute(); n != tt.want[first] {
				t.Errorf("%d %s, want %d", n, first, tt.want[first])
			}
			for range 3 {
				if n := minute(); n != tt.want[later] {
					t.Errorf("%d %s, want %d", n, later, tt.want[later])
				}
			}
			if b.left("other", now) != b.burst || b.until("other", now) != 0 || !b.take("other", now) {
				t.Error("another key waits")
			}
			now = now.Add(time.Hour)
			if b.left("evil", now) != b.burst {
				t.Errorf("after an hour it has %d", b.left("evil", now))
			}
			if b.take("another", now); len(b.of) != 1 {
				t.Errorf("%d keys are remembered, want the last one", len(b.of))
			}
		})
	}
}

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
