package probe

import (
	"context"
	"errors"
	"net/http"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// try probes once and reports whether another try may succeed. If a response asks for it, the try goes on in the other
// scheme, at the port to which the response redirects, or by another name of the Service. n counts the tries: each try
// dials the next of several addresses.
func (p *Prober) try(ctx context.Context, t Target, n int) (best backend.Observation, again bool) {
	timeout, _ := p.limits(t.Type)
	ctx, cancel := context.WithTimeout(ctx, 3*timeout)
	defer cancel()
	c := t.Candidate
	var requests []backend.Request
	left, sure := maxRequests, true
	for moves := 0; ; moves++ {
		s := p.session(ctx, t, n)
		s.timeout, s.left = timeout, left
		o, retry := s.run(t.Type)
		s.dropLarge()
		requests = append(requests, s.requests...)
		if moves == 0 || !s.otherScheme && (sure || o.Outcome != backend.Unreachable) {
			best, again = o, retry
			// Only a certificate shows that a shorter name is the Service's, and not a host of another zone.
			if o.Scheme == "https" && t.Candidate.Host != c.Host && o.Missing != backend.MissingName {
				best.Host = t.Candidate.Host
			}
			if t.Candidate.PortNumber != c.PortNumber {
				best.Port = t.Candidate.PortNumber
			}
		}
		next := s.next(t.Candidate.Scheme != c.Scheme)
		if next == nil || moves == maxMoves {
			if moves == 0 && s.otherScheme && o.Outcome != backend.Ready {
				other := backend.Seen{Code: backend.CodeSchemeFixed, Value: otherScheme(c.Scheme)}
				best.Besides = append(best.Besides, other)
			}
			break
		}
		left, sure = s.left+1, s.sure // the request that led to the move proved nothing
		t.Candidate = next
	}
	best.Requests = requests
	return best, again
}

func (p *Prober) session(ctx context.Context, t Target, n int) *session {
	var transport http.RoundTripper
	if p.opts.RoundTripper != nil {
		transport = p.opts.RoundTripper(t.Candidate)
	}
	if transport == nil {
		list := addresses(t)
		transport = p.transport(ctx, t, list[n%len(list)])
	}
	return &session{
		ctx: ctx, prober: p, cand: t.Candidate, transport: transport,
		memory: memory{cache: make(map[string]*answer), status: make(map[string]int)},
	}
}

// run checks identity, then health, then a query like those of the agent.
func (s *session) run(t *catalog.Type) (o backend.Observation, again bool) {
	var err error
	if t == nil {
		o, again, err = s.anything()
	} else {
		o, again, err = s.product(t)
	}
	switch {
	case errors.Is(err, errSpent): // there is no other try: it would spend its requests in the same way
		spent := backend.Seen{Code: backend.CodeRequestsSpent, Number: s.redirects, Limit: maxRequests}
		if o.Seen.Code == "" {
			o.Seen = spent
		} else {
			o.Besides = append(o.Besides, spent)
		}
		o.Outcome = backend.WrongIdentity
		if o.Identity {
			o.Outcome = backend.NotReady
		}
	case err != nil:
		f := classify(err, s.timeout)
		if !s.answered && (f.cause == backend.CauseReset || f.cause == backend.CauseClosed) {
			o.Besides = append(o.Besides, backend.Seen{Code: backend.CodeNeverAnswers})
		}
		o.Outcome, o.Cause, o.Seen = f.outcome, f.cause, f.seen
		o.Wants, o.Missing, again = f.wants, f.missing, f.again
	}
	if !o.Identity && o.Outcome != backend.AuthRequired && o.Outcome != backend.Ready && t != nil {
		o.Path = s.cand.Path
	}
	o.Scheme = s.cand.Scheme
	tls := o.Scheme == "https"
	o.SkipVerify = tls && s.prober.insecure(s.cand)
	o.OwnCA = tls && s.answered && !o.SkipVerify && s.prober.opts.RootCAs != nil
	o.Requests = s.requests
	return o, again
}

// anything probes a backend that no catalog entry describes. Any response below 500 shows that it works: MCP servers
// answer a plain GET with 404, 405 or 406, and a 401 or a redirect comes from a server that works.
func (s *session) anything() (o backend.Observation, again bool, err error) {
	o.Path = s.cand.Path
	base, path := s.cand.Path, "/"
	switch {
	case s.cand.HealthPath != "":
		base, path = "", s.cand.HealthPath
	case base != "":
		path = "" // the endpoint itself: with a slash at its end it may be another resource
	}
	a, err := s.get("health", base, path, true)
	if err != nil {
		return o, false, err
	}
	if a.status >= 500 {
		o.Outcome, o.Seen = backend.NotReady, backend.Seen{Code: backend.CodeServerError, Answer: a.shown}
		return o, true, nil
	}
	o.Outcome, o.Seen = backend.Ready, backend.Seen{Code: backend.CodeAnswered, Answer: a.shown}
	return o, false, nil
}

// product probes a backend of a catalog type.
func (s *session) product(t *catalog.Type) (o backend.Observation, again bool, err error) {
	id, err := s.identify(t)
	o.Path = id.base
	if id.typ != nil && id.typ != t && id.outcome != backend.WrongIdentity {
		t, o.Type = id.typ, id.typ.Type
	}
	if err != nil {
		o.Seen = id.seen
		return o, false, err
	}
	if id.outcome != "" {
		o.Outcome, o.Seen, o.Wants = id.outcome, id.seen, id.bar.wants(t)
		return o, id.outcome == backend.NotReady, nil
	}
	o.Identity, o.Version = true, id.version
	if id.warning != "" {
		o.Warnings = append(o.Warnings, id.warning)
	}
	code := backend.CodeNotReady
	v, err := s.health(t, &id)
	if q := t.Probe.Query; q != nil && err == nil && v.result == met {
		code = backend.CodeNoQuery
		v, err = s.meet("query", id.base, q)
	}
	switch {
	case err != nil:
		return o, false, err
	case v.result == refused:
		o.Outcome, o.Wants, o.Seen = v.bar.outcome, v.bar.wants(t), v.bar.seen(backend.CodeRefused, t, v.why)
		return o, false, nil
	case v.result != met:
		o.Outcome, o.Seen = backend.NotReady, backend.Seen{Code: code, Type: t.Title, Answer: v.why}
		return o, true, nil
	}
	o.Outcome, o.Seen = backend.Ready, backend.Seen{Code: backend.CodeProven, Type: t.Title}
	s.warn(t, &id, &o)
	s.members(t, &id, &o)
	if o.Version == "" {
		o.Version = s.extraVersion(t, id.base)
	}
	return o, false, nil
}

// health runs the type's health checks. If an annotation gives a path instead, a response below 400 from that path of
// the server is enough.
func (s *session) health(t *catalog.Type, id *identity) (verdict, error) {
	healthy := verdict{result: met}
	if s.cand.HealthPath == "" {
		if id.warning != "" {
			return healthy, nil // nothing but its answers is known, so it has no health check
		}
		for i := range t.Probe.Health {
			v, err := s.meetAnywhere("health", id.base, &t.Probe.Health[i])
			if err == nil && v.result == unmet && s.degraded(t, id) {
				continue
			}
			if err != nil || v.result != met {
				return v, err
			}
		}
		return healthy, nil
	}
	a, err := s.get("health", "", s.cand.HealthPath, true)
	if err != nil {
		return verdict{}, err
	}
	switch barred := a.barred(false); {
	case barred.outcome != "":
		return verdict{result: refused, why: a.refusal(), bar: barred}, nil
	case a.status >= 400:
		return verdict{why: a.shortOf(s.cand.HealthPath, backend.Lack{})}, nil
	}
	return healthy, nil
}

// extraVersion returns the version from the checks that serve only to find it, "" if no response has one.
func (s *session) extraVersion(t *catalog.Type, base string) string {
	for i := range t.Probe.Version {
		if v, err := s.meet("version", base, &t.Probe.Version[i]); err == nil && v.version != "" {
			return v.version
		}
	}
	return ""
}
