//go:build integration

package testenv

import (
	"iter"
	"testing"
	"time"
)

// pollInterval is how often a condition is looked at.
const pollInterval = 20 * time.Millisecond

// Eventually waits until the condition holds, that is, returns nil. When the time is over the test ends with what was
// waited for and what the condition said last.
func Eventually(t testing.TB, timeout time.Duration, what string, condition func() error) {
	t.Helper()
	var last error
	for range ticks(time.Now().Add(timeout), pollInterval) {
		if last = condition(); last == nil {
			return
		}
	}
	t.Fatalf("not within %s: %s\nlast seen: %v", timeout, what, last)
}

// Consistently fails the test as soon as the condition does not hold within d.
func Consistently(t testing.TB, d time.Duration, what string, condition func() error) {
	t.Helper()
	start := time.Now()
	for range ticks(start.Add(d), pollInterval) {
		if err := condition(); err != nil {
			t.Fatalf("for %s, not %s, it held: %s\nthen: %v", time.Since(start).Round(time.Millisecond), d, what, err)
		}
	}
}

// ticks yields at once, then at each interval until the deadline, and once more then.
func ticks(deadline time.Time, interval time.Duration) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		end := time.NewTimer(time.Until(deadline))
		defer end.Stop()
		now := time.Now()
		for yield(now) {
			select {
			case now = <-ticker.C:
			case now = <-end.C:
				yield(now)
				return
			}
		}
	}
}

// Retry repeats a change that met a conflict with another one, or an API server that is away, for ten seconds.
func Retry(t testing.TB, what string, change func() error) {
	t.Helper()
	Eventually(t, 10*time.Second, what, change)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
