// Package probe turns candidates into observations: it asks a backend over HTTP whether it is what it looks like and
// whether it works. It makes the only HTTP requests of this service that leave for backends.
//
// It probes once; when to probe again is its caller's affair. Every try has a transport of its own: what is dialled
// depends on the Service and not on the name in the URL, so a connection kept from an earlier try could lead to what
// the Service fronted then.
package probe

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Options of a Prober; a zero value takes the default that is given.
type Options struct {
	// Timeout of one request, its answer's body included; a whole try has three times as long. Default 5 s.
	Timeout time.Duration
	// Tries for what may pass, with waits of 1 s, 2 s, 4 s, 8 s and then 10 s between them. Default 3.
	Tries int
	// Concurrency is the number of backends that ProbeAll asks at once. Default 256.
	Concurrency int
	// DenyCIDRs are never connected to. nil means DefaultDenyCIDRs; an empty list that is not nil, none.
	DenyCIDRs []netip.Prefix
	// RootCAs are those that a backend's certificate may be signed by, asked for each probe, since authorities are
	// renewed; nil means the system's.
	RootCAs func() *x509.CertPool
	// Insecure names the Services whose certificate is not checked; nil means none.
	Insecure func(backend.Ref) bool
	// RoundTripper carries the requests for a candidate instead of direct connections, such as the API server's
	// service proxy. It must not follow redirects. DenyCIDRs then applies to the addresses that are known before. nil
	// means direct, for all candidates or for one.
	RoundTripper func(*backend.Candidate) http.RoundTripper
}

// Target is a candidate with what is needed to probe it.
type Target struct {
	Candidate *backend.Candidate
	Type      *catalog.Type      // nil for a custom endpoint or an MCP server
	Endpoints *backend.Endpoints // nil: nothing is known of them
}

// Prober asks backends. It is safe for concurrent use.
type Prober struct {
	opts  Options
	deny  deny
	busy  keyed
	large quota
	// handshakes are those that are longer than usual.
	handshakes quota
}

// New checks the options.
func New(opts Options) (*Prober, error) {
	if opts.DenyCIDRs == nil {
		opts.DenyCIDRs = DefaultDenyCIDRs()
	}
	list, err := newDeny(opts.DenyCIDRs)
	if err != nil {
		return nil, err
	}
	if opts.Timeout < 0 || opts.Tries < 0 || opts.Concurrency < 0 {
		return nil, fmt.Errorf("health.timeout, health.tries and health.concurrency must not be negative: %s, %d, %d",
			opts.Timeout, opts.Tries, opts.Concurrency)
	}
	if opts.Timeout == 0 {
		opts.Timeout = 5 * time.Second
	}
	if opts.Tries == 0 {
		opts.Tries = 3
	}
	if opts.Concurrency == 0 {
		opts.Concurrency = 256
	}
	return &Prober{opts: opts, deny: list}, nil
}

const (
	firstWait   = time.Second
	longestWait = 10 * time.Second
)

// Probe asks one backend, as often as it takes for what may pass. It waits while another Probe of this Prober asks at
// the same address for the same namespace. A context that ends leaves the candidate unprobed.
func (p *Prober) Probe(ctx context.Context, t Target) backend.Observation {
	o, done := p.untouched(t)
	if done {
		return o
	}
	release, err := p.turn(ctx, t)
	if err != nil {
		return stopped(t, nil)
	}
	defer release()

	var requests []backend.Request
	for n, wait := 0, firstWait; ; n, wait = n+1, max(firstWait, min(2*wait, longestWait)) {
		var again bool
		o, again = p.try(ctx, t, n)
		for i := range o.Requests {
			o.Requests[i].Try = n + 1
		}
		requests = append(requests, o.Requests...)
		if ctx.Err() != nil {
			return stopped(t, requests)
		}
		addresses := len(t.Candidate.Service.ClusterIPs)
		if o.Outcome == backend.Unreachable && o.Cause != backend.CauseDenied && n+1 < addresses {
			wait = 0 // the next address of a dual-stack Service is another matter
		} else if !again || n+1 >= max(p.tries(t.Type), addresses) {
			break
		}
		if !sleep(ctx, wait) {
			return stopped(t, requests)
		}
	}
	o.Requests = requests
	o.At = time.Now()
	return o
}

// timeout and tries are the type's own, where the configuration says so.
func (p *Prober) timeout(t *catalog.Type) time.Duration {
	if t != nil && t.Tuning.Timeout > 0 {
		return t.Tuning.Timeout
	}
	return p.opts.Timeout
}

func (p *Prober) tries(t *catalog.Type) int {
	if t != nil && t.Tuning.Tries > 0 {
		return t.Tuning.Tries
	}
	return p.opts.Tries
}

// untouched decides what can be decided without a connection.
func (p *Prober) untouched(t Target) (backend.Observation, bool) {
	if o, denied := p.Denied(t); denied {
		return o, true
	}
	c := t.Candidate
	o := backend.Observation{Scheme: c.Scheme, Path: c.Path}
	if c.Unproven {
		o.Outcome, o.Seen.Code = backend.Unprobed, backend.CodeProbeOff
		return o, true
	}
	if none, ok := NoEndpoints(t); ok {
		none.At = time.Now()
		return none, true
	}
	return o, false
}

// NoEndpoints is the observation of a target whose EndpointSlices say that nothing is ready behind it; ok is false
// where they do not, or where nothing is known of them. It holds without any probe, and its time is not set.
func NoEndpoints(t Target) (o backend.Observation, ok bool) {
	c := t.Candidate
	if c.Unproven || c.ForeignHost || t.Endpoints == nil || t.Endpoints.ReadyCount() > 0 {
		return o, false
	}
	o = backend.Observation{Outcome: backend.NoEndpoints, Scheme: c.Scheme, Path: c.Path}
	o.Seen.Code = backend.CodeNoEndpoints
	if t.Endpoints.FQDN {
		o.Seen.Code = backend.CodeNoAddresses
	}
	return o, true
}

func stopped(t Target, requests []backend.Request) backend.Observation {
	return backend.Observation{
		Outcome: backend.Unprobed, Seen: backend.Seen{Code: backend.CodeProbeStopped},
		Scheme: t.Candidate.Scheme, Path: t.Candidate.Path, Requests: requests,
	}
}

// sleep says false if the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
