package bridge

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Ways to a backend, for people.
const (
	WayProxy   = "service proxy"
	WayForward = "port-forward"
	WayDirect  = "direct"
)

// Opened is a backend with the address that reaches it from this machine.
type Opened struct {
	*backend.Finding // with the local address
	Way              string
	listener         *Listener // nil where it is reached directly
}

// Close ends its listener.
func (o *Opened) Close() {
	if o.listener != nil {
		_ = o.listener.Close() // it is gone in any case
	}
}

// Open opens the listener of a published backend. If its requests need a port-forward, Open tries the port-forward
// first, because the probe used the service proxy. failed describes errors to clients.
func (b *Bridge) Open(ctx context.Context, f *backend.Finding, failed func(error) string) (*Opened, error) {
	if Direct(f.Candidate) {
		return &Opened{Finding: f, Way: WayDirect}, nil
	}
	at := found(f)
	target := &url.URL{Scheme: at.Scheme, Host: net.JoinHostPort(at.Host, strconv.Itoa(int(at.PortNumber)))}
	carry, way := b.carrier(at), WayProxy
	if carry.closed(http.MethodGet) || len(f.Credentials) > 0 {
		way = WayForward
		if err := carry.check(ctx, target); err != nil {
			return nil, err
		}
	}
	l, err := Listen(target, carry, failed)
	if err != nil {
		return nil, err
	}
	return &Opened{Finding: l.local(f), Way: way, listener: l}, nil
}

// found returns the candidate at the place where the probe found the backend.
func found(f *backend.Finding) *backend.Candidate {
	c, o := *f.Candidate, &f.Observation
	if o.Scheme == "" {
		return &c
	}
	c.Scheme, c.Host = o.Scheme, cmp.Or(o.Host, c.Host)
	i := slices.IndexFunc(c.Service.Ports, func(p backend.Port) bool { return p.Number == o.Port })
	if o.Port != 0 && i >= 0 {
		c.Port, c.PortNumber = c.Service.Ports[i], o.Port
	}
	return &c
}

// local returns the finding with the listener's address instead of the backend's.
func (l *Listener) local(f *backend.Finding) *backend.Finding {
	here, c := *f, *f.Candidate
	host, port, _ := net.SplitHostPort(l.host)
	number, _ := strconv.ParseInt(port, 10, 32) // a listener's
	c.Scheme, c.Host, c.PortNumber = "http", host, int32(number)
	o := &here.Observation
	o.Host, o.Port, o.SkipVerify, o.OwnCA = "", 0, false, false
	if o.Scheme != "" {
		o.Scheme = "http"
	}
	here.Candidate = &c
	return &here
}

// check sends a request to a pod, and accepts any response.
func (c *carrier) check(ctx context.Context, target *url.URL) error {
	const longest = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.JoinPath("/").String(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := c.forward.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("%s: %w", WayForward, err)
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) //nolint:mnd // enough to use the connection again
	return resp.Body.Close()
}
