package health

import (
	"time"

	"golang.org/x/time/rate"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// budget bounds how many probes the changes of one Service bring about at once. One change may mean as many as it has
// tenants, so that who changes a Service without end would have us ask, wherever it leads, a hundred times for each
// request of theirs.
type budget map[backend.Ref]*rate.Limiter

const (
	hurriedAtOnce  = 100
	hurriedASecond = 5
)

// allows reports whether n more probes may come at once.
func (b budget) allows(ref backend.Ref, n int, now time.Time) bool {
	l := b[ref]
	if l == nil {
		l = rate.NewLimiter(hurriedASecond, hurriedAtOnce)
		b[ref] = l
	}
	return l.AllowN(now, min(n, hurriedAtOnce))
}

// tidy forgets the Services that have not changed lately.
func (b budget) tidy(now time.Time) {
	for ref, l := range b {
		if l.TokensAt(now) >= hurriedAtOnce {
			delete(b, ref)
		}
	}
}
