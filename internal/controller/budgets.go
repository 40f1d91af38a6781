package controller

import (
	"maps"
	"time"

	"golang.org/x/time/rate"
)

// budgets bound what each of many keys, as namespaces, may have done: so many at once, and one more after each wait.
// A key that was idle for long has its full budget, and takes no memory.
type budgets[K comparable] struct {
	burst int
	wait  time.Duration
	debt  int // that spend may run up; take never does

	of    map[K]*rate.Limiter
	swept time.Time
}

// left is how many the key has; less than 0 where it is in debt.
func (b *budgets[K]) left(key K, now time.Time) int {
	if l := b.of[key]; l != nil {
		return int(l.TokensAt(now))
	}
	return b.burst
}

// until is how long it is until the key has one; 0 for now.
func (b *budgets[K]) until(key K, now time.Time) time.Duration {
	l := b.of[key]
	if l == nil {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	return max(0, time.Duration(missing*float64(b.wait))).Round(time.Millisecond)
}

// take takes one, and reports whether there was one.
func (b *budgets[K]) take(key K, now time.Time) bool { return b.limiter(key, now).AllowN(now, 1) }

// spend takes one, whether there is one or not, for what cannot wait.
func (b *budgets[K]) spend(key K, now time.Time) {
	if l := b.limiter(key, now); l.TokensAt(now)-1 >= float64(-b.debt) {
		l.ReserveN(now, 1)
	}
}

func (b *budgets[K]) limiter(key K, now time.Time) *rate.Limiter {
	if now.Sub(b.swept) >= time.Minute {
		b.sweep(now)
	}
	if b.of == nil {
		b.of = map[K]*rate.Limiter{}
	}
	if b.of[key] == nil {
		b.of[key] = rate.NewLimiter(rate.Every(b.wait), b.burst)
	}
	return b.of[key]
}

// sweep drops keys that have their full budget, so that names which come and go leave nothing behind.
func (b *budgets[K]) sweep(now time.Time) {
	b.swept = now
	maps.DeleteFunc(b.of, func(_ K, l *rate.Limiter) bool { return int(l.TokensAt(now)) >= b.burst })
}
