package health

import (
	"time"

	"golang.org/x/time/rate"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// budget limits the probes that the changes of one Service cause at once. One change causes a probe for each tenant:
// without a limit, a stranger who keeps changing a Service could turn each request to the API server into a hundred
// requests to an address of their choice.
type budget map[backend.Ref]*rate.Limiter

const (
	hurriedAtOnce  = 100
	hurriedASecond = 5
)

// allows reports whether n more probes of the Service may start now.
func (b budget) allows(ref backend.Ref, n int, now time.Time) bool {
	l := b[ref]
	if l == nil {
		l = rate.NewLimiter(hurriedASecond, hurriedAtOnce)
		b[ref] = l
	}
	return l.AllowN(now, min(n, hurriedAtOnce))
}

// tidy removes the Services that have not changed lately.
func (b budget) tidy(now time.Time) {
	for ref, l := range b {
		if l.TokensAt(now) >= hurriedAtOnce {
			delete(b, ref)
		}
	}
}
