package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
)

// dialer connects the watches to the API server. If the API server cannot be reached, the dialer retries about once a
// second. Without it a watch would see up to a minute late that the API server is back, because the pauses between the
// retries of a watch grow to a minute.
type dialer struct {
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	failed func()
	log    *slog.Logger
	away   atomic.Pointer[error] // why the API server cannot be reached; nil while it can be
	ended  chan struct{}         // closed when nobody needs a connection any more
	end    func()                // closes ended
}

const betweenDials = time.Second

// httpClient returns the client for all watches, which share one connection.
func httpClient(config *rest.Config, failed func(), log *slog.Logger) (*http.Client, *dialer, error) {
	c := rest.CopyConfig(config)
	d := &dialer{dial: c.Dial, failed: failed, log: log, ended: make(chan struct{})}
	d.end = sync.OnceFunc(func() { close(d.ended) })
	if d.dial == nil {
		d.dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	c.Dial = d.untilConnected
	c.Wrap(newBoundPages)
	c.Wrap(newShortWaits)
	client, err := rest.HTTPClientFor(c)
	return client, d, err
}

// err returns why the API server cannot be reached, nil while it can be.
func (d *dialer) err() error { return ptr.Deref(d.away.Load(), nil) }

// untilConnected dials until it has a connection. It returns an error only if ctx or the watch has ended: net/http
// dials with a context that outlives the request.
func (d *dialer) untilConnected(ctx context.Context, network, address string) (net.Conn, error) {
	for {
		conn, err := d.dial(ctx, network, address)
		switch {
		case err == nil:
			if d.away.Swap(nil) != nil {
				d.log.Info("API server reachable again", "address", address)
			}
			return conn, nil
		case ctx.Err() != nil:
			return nil, err
		}
		d.failed()
		since := time.Now().UTC().Format(time.RFC3339)
		reason := fmt.Errorf("the API server cannot be reached (since %s): %w", since, err)
		if d.away.CompareAndSwap(nil, &reason) {
			d.log.Warn("API server not reachable", "address", address, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-d.ended:
			return nil, err
		case <-time.After(betweenDials/2 + rand.N(betweenDials)): //nolint:gosec // jitter
		}
	}
}
