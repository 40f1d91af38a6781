package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

// dialer connects the watches to the API server. While that cannot be reached it tries again itself, about once a
// second: the watches' own pauses grow to a minute, so that they would notice long after everybody else that it is
// back.
type dialer struct {
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	failed func()
	log    *slog.Logger
	away   atomic.Pointer[error] // why it cannot be reached; nil while it can
}

const betweenDials = time.Second

// httpClient is one for all watches, which share a connection.
func httpClient(config *rest.Config, failed func(), log *slog.Logger) (*http.Client, *dialer, error) {
	c := rest.CopyConfig(config)
	d := &dialer{dial: c.Dial, failed: failed, log: log}
	if d.dial == nil {
		d.dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	c.Dial = d.untilConnected
	c.Wrap(newBoundPages)
	client, err := rest.HTTPClientFor(c)
	return client, d, err
}

// err is why the API server cannot be reached, nil while it can.
func (d *dialer) err() error {
	if reason := d.away.Load(); reason != nil {
		return *reason
	}
	return nil
}

// untilConnected returns a connection, or an error when ctx has ended.
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
		reason := fmt.Errorf("the API server cannot be reached since %s: %w", since, err)
		if d.away.CompareAndSwap(nil, &reason) {
			d.log.Warn("API server not reachable: what is published stays", "address", address, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(betweenDials/2 + rand.N(betweenDials)): //nolint:gosec // jitter
		}
	}
}
