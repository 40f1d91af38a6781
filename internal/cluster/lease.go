package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
)

// Identity returns a unique name for this process: the host's name, which people know, and a random part.
func Identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "_" + uuid.NewString()
}

// LeaseClient returns a client for the Lease with a separate connection, so that neither a rate limit nor a large
// transfer delays a renewal. It has its own dialer, because client-go otherwise shares connections between clients with
// equal configurations. With HTTP/1.1 a request that times out closes its connection: a connection that hangs is
// replaced while there is still time for another request. The timeout also ends client-go's own retries.
func LeaseClient(config *rest.Config, renewDeadline time.Duration) (coordinationclient.LeasesGetter, error) {
	c := rest.CopyConfig(config)
	c.Timeout = leaseTimeout(renewDeadline)
	c.RateLimiter, c.QPS, c.Burst = nil, -1, 0 // a QPS of 0 would mean client-go's default limit
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: c.Timeout, KeepAlive: 30 * time.Second}).DialContext
	}
	c.NextProtos = []string{"http/1.1"}
	client, err := coordinationclient.NewForConfig(rest.AddUserAgent(c, "leader-election"))
	if err != nil {
		return nil, fmt.Errorf("client for the lease: %w", err)
	}
	return client, nil
}

func leaseTimeout(renewDeadline time.Duration) time.Duration {
	return max(renewDeadline/2, time.Second)
}

// report logs once for each reason that the lease cannot be read or written, and when that works again. An expected
// error is not a failure. A request that this replica cancelled is ignored.
func (e *Elector) report(request string, err error, expected bool) {
	if errors.Is(err, context.Canceled) {
		return
	}
	failing := err != nil && !expected
	switch reason, log := apierrors.ReasonForError(err), e.options.Log; {
	case failing && (e.failing == "" || e.reason != reason):
		e.failing, e.reason = request, reason
		log.Warn("lease not reachable", "lease", e.options.Lease.String(), "err", Explain(err))
	case !failing && e.failing == request:
		e.failing = ""
		log.Info("lease reachable again", "lease", e.options.Lease.String())
	}
}
