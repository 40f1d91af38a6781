package controller

import (
	"maps"
	"time"

	"golang.org/x/time/rate"
)

// budgets limit what each key, such as a namespace, may cause: burst actions at once, and one more after each wait. A
// key that was idle for long has its full budget and takes no memory.
type budgets[K comparable] struct {
	burst int
	wait  time.Duration
	debt  int // the most that spend may overdraw; take never overdraws

	of    map[K]*rate.Limiter
	swept time.Time
}

// left returns how many actions the key has left. It is negative if the key is in debt.
func (b *budgets[K]) left(key K, now time.Time) int {
	if l := b.of[key]; l != nil {
		return int(l.TokensAt(now))
	}
	return b.burst
}

// until returns how long it takes until the key has one action; 0 if it has one now.
func (b *budgets[K]) until(key K, now time.Time) time.Duration {
	l := b.of[key]
	if l == nil {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	return max(0, time.Duration(missing*float64(b.wait))).Round(time.Millisecond)
}

// take takes one action, and reports whether the key had one.
func (b *budgets[K]) take(key K, now time.Time) bool { return b.limiter(key, now).AllowN(now, 1) }

// spend takes one action even if the key has none, for actions that cannot wait.
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

// sweep removes keys that have their full budget, so that deleted namespaces take no memory.
func (b *budgets[K]) sweep(now time.Time) {
	b.swept = now
	maps.DeleteFunc(b.of, func(_ K, l *rate.Limiter) bool { return int(l.TokensAt(now)) >= b.burst })
}
