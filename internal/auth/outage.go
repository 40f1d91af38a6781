package auth

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// outage tells once that the API server cannot be asked, again each minute, and when it is over: each request would be a
// line otherwise.
type outage struct {
	log    *slog.Logger
	review string // what is asked for

	mu    sync.Mutex
	since time.Time // zero: there is none
	told  time.Time
}

const tellAgain = time.Minute

// began returns what the caller is told, which is less than the log says: callers may be anybody. The token is kept out.
func (o *outage) began(err error, token string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if o.since.IsZero() {
		o.since = now
	}
	if o.told.IsZero() || now.Sub(o.told) >= tellAgain {
		o.told = now
		o.log.Warn("cannot ask the API server who may use the API; only who was allowed in the last minute is let in",
			"review", o.review, "advice", advice(err), "err", redact(err.Error(), token))
	}
	return fmt.Errorf("%w; the log of this service says why, try again later", ErrUnavailable)
}

func advice(err error) string {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return "bind the ClusterRole system:auth-delegator to the ServiceAccount of this service, or set auth.mode to none"
	}
	return "see that this service reaches the API server; it is asked again with each request"
}

func (o *outage) ended() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return
	}
	o.log.Info("the API server answers again who may use the API", "review", o.review, "after", time.Since(o.since).Round(time.Millisecond))
	o.since, o.told = time.Time{}, time.Time{}
}
