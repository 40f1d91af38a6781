package controller

import (
	"maps"
	"time"

	"golang.org/x/time/rate"
)

// budgets limit what each key, such as a namespace, may cause: burst actions at once, and one more after each wait. A
// key that was idle for long has its full budget and takes no memory.
type budgets struct {
	burst int
	wait  time.Duration
	debt  int // the most that spend may overdraw; take never overdraws

	of    map[string]*rate.Limiter
	swept time.Time
}

// left returns how many actions the key has left. It is negative if the key is in debt.
func (b *budgets) left(key string, now time.Time) int {
	if l := b.of[key]; l != nil {
		return int(l.TokensAt(now))
	}
	return b.burst
}

// until returns how long it takes until the key has one action; 0 if it has one now.
func (b *budgets) until(key string, now time.Time) time.Duration {
	l := b.of[key]
	if l == nil {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	return max(0, time.Duration(missing*float64(b.wait))).Round(time.Millisecond)
}

// take takes one action, and reports whether the key had one.
func (b *budgets) take(key string, now time.Time) bool { return b.limiter(key, now).AllowN(now, 1) }

// spend takes one action even if the key has none, for actions that cannot wait.
func (b *budgets) spend(key string, now time.Time) {
	if l := b.limiter(key, now); l.TokensAt(now)-1 >= float64(-b.debt) {
		l.ReserveN(now, 1)
	}
}

func (b *budgets) limiter(key string, now time.Time) *rate.Limiter {
	if now.Sub(b.swept) >= time.Minute { // so that deleted namespaces take no memory
		b.swept = now
		maps.DeleteFunc(b.of, func(_ string, l *rate.Limiter) bool { return int(l.TokensAt(now)) >= b.burst })
	}
	if b.of == nil {
		b.of = map[string]*rate.Limiter{}
	}
	if b.of[key] == nil {
		b.of[key] = rate.NewLimiter(rate.Every(b.wait), b.burst)
	}
	return b.of[key]
}
