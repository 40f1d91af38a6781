package controller

import (
	"maps"
	"time"

	"golang.org/x/time/rate"
)

// limiters are a budget for each key: so many at once, and then one after each wait.
type limiters[K comparable] struct {
	burst int
	wait  time.Duration
	of    map[K]*rate.Limiter
}

// left is how many the key has now.
func (l *limiters[K]) left(key K, now time.Time) int {
	if of := l.of[key]; of != nil {
		return int(of.TokensAt(now))
	}
	return l.burst
}

// take takes one, and reports whether there was one.
func (l *limiters[K]) take(key K, now time.Time) bool {
	if l.of == nil {
		l.of = map[K]*rate.Limiter{}
	}
	if l.of[key] == nil {
		l.of[key] = rate.NewLimiter(rate.Every(l.wait), l.burst)
	}
	return l.of[key].AllowN(now, 1)
}

// sweep drops the keys that have all of theirs, so that names which come and go leave nothing behind.
func (l *limiters[K]) sweep(now time.Time) {
	maps.DeleteFunc(l.of, func(_ K, of *rate.Limiter) bool { return int(of.TokensAt(now)) >= l.burst })
}
