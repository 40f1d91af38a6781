// Package probe turns candidates into observations: it checks over HTTP whether a backend is of its type and works. No
// other package of this service sends requests to backends.
//
// A call probes once; the caller decides when to probe again. Every request has its own connection: the dialled address
// depends on the Service and not on the name in the URL, so a kept connection could lead to another backend.
package probe

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Options configure a Prober. A zero value means the default.
type Options struct {
	// Timeout of one request, including the response body. A whole try may take three times as long. Default 5 s.
	Timeout time.Duration
	// Tries is the number of tries if the failure may be temporary, with waits of 1 s, 2 s, 4 s, 8 s and then 10 s
	// between them. Default 3.
	Tries int
	// Concurrency is the number of backends that ProbeAll probes at once. Default 256.
	Concurrency int
	// DenyCIDRs are never dialled. nil means DefaultDenyCIDRs; an empty list that is not nil denies nothing.
	DenyCIDRs []netip.Prefix
	// RootCAs returns the authorities that may sign a backend's certificate. It is called for each probe, because
	// authorities are renewed. nil means the system's.
	RootCAs func() *x509.CertPool
	// Insecure reports whether a Service's certificate is not verified. nil means that all are verified.
	Insecure func(backend.Ref) bool
	// RoundTripper carries the requests for a candidate instead of direct connections, such as the API server's
	// service proxy. It must not follow redirects. DenyCIDRs then applies to the addresses that are known
	// before the request. A nil function or a nil result means direct connections.
	RoundTripper func(*backend.Candidate) http.RoundTripper
}

// Target is a candidate with what is needed to probe it.
type Target struct {
	Candidate *backend.Candidate
	Type      *catalog.Type      // nil for a custom endpoint or an MCP server
	Endpoints *backend.Endpoints // nil if unknown
}

// Prober probes backends. It is safe for concurrent use.
type Prober struct {
	opts  Options
	deny  deny
	busy  keyed
	large quota // bodies over maxSmall and handshakes over usualHandshake
}

// New returns a Prober. It fails if the options are invalid.
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
	opts.Timeout = cmp.Or(opts.Timeout, 5*time.Second)
	opts.Tries = cmp.Or(opts.Tries, 3)
	opts.Concurrency = cmp.Or(opts.Concurrency, 256)
	return &Prober{opts: opts, deny: list}, nil
}

const (
	firstWait   = time.Second
	longestWait = 10 * time.Second
)

// Probe probes one backend and tries again if the failure may be temporary. The caller does not probe two targets of
// one namespace at one address at once. If the context ends, the candidate stays unprobed.
func (p *Prober) Probe(ctx context.Context, t Target) backend.Observation {
	o, done := p.untouched(t)
	if done {
		return o
	}
	defer p.turn(ctx, t)()

	_, tries := p.limits(t.Type)
	var requests []backend.Request
	for n, wait := 0, firstWait; ; n, wait = n+1, max(firstWait, min(2*wait, longestWait)) {
		var again bool
		o, again = p.try(ctx, t, n)
		for i := range o.Requests {
			o.Requests[i].Try = n + 1
		}
		requests = append(requests, o.Requests...)
		if ctx.Err() != nil {
			return unprobed(t, backend.CodeProbeStopped, requests)
		}
		addresses := len(t.Candidate.Service.ClusterIPs)
		if o.Outcome == backend.Unreachable && o.Cause != backend.CauseDenied && n+1 < addresses {
			wait = 0 // the next try dials another address of the dual-stack Service
		} else if !again || n+1 >= max(tries, addresses) {
			break
		}
		select {
		case <-ctx.Done():
			return unprobed(t, backend.CodeProbeStopped, requests)
		case <-time.After(wait):
		}
	}
	o.Requests = requests
	o.At = time.Now()
	return o
}

// limits returns the timeout of a request and the number of tries. The configuration may set them for a type.
func (p *Prober) limits(t *catalog.Type) (timeout time.Duration, tries int) {
	if t == nil {
		return p.opts.Timeout, p.opts.Tries
	}
	return cmp.Or(t.Tuning.Timeout, p.opts.Timeout), cmp.Or(t.Tuning.Tries, p.opts.Tries)
}

// untouched returns the observation if it is known without a connection.
func (p *Prober) untouched(t Target) (backend.Observation, bool) {
	if o, denied := p.Denied(t); denied {
		return o, true
	}
	if t.Candidate.Unproven {
		return unprobed(t, backend.CodeProbeOff, nil), true
	}
	o, none := NoEndpoints(t)
	if none {
		o.At = time.Now()
	}
	return o, none
}

// NoEndpoints returns the observation of a target whose EndpointSlices have no ready address. ok is false if they have
// one or are unknown. The observation needs no probe, and its time is not set.
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

func unprobed(t Target, code backend.Code, requests []backend.Request) backend.Observation {
	return backend.Observation{
		Outcome: backend.Unprobed, Seen: backend.Seen{Code: code},
		Scheme: t.Candidate.Scheme, Path: t.Candidate.Path, Requests: requests,
	}
}
