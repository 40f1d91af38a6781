package probe

import (
	"context"
	"errors"
	"net/http"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// try asks once, and says whether another try may go better. Where an answer says so it asks in the other scheme, at
// the port that it redirects to or by another of the Service's names. n counts the tries: each goes to the next of
// several addresses.
func (p *Prober) try(ctx context.Context, t Target, n int) (best backend.Observation, again bool) {
	ctx, cancel := context.WithTimeout(ctx, 3*p.timeout(t.Type))
	defer cancel()
	c := t.Candidate
	var requests []backend.Request
	left, sure := maxRequests, true
	for moves := 0; ; moves++ {
		s := p.session(ctx, t, n)
		s.left = left
		o, retry := s.run(t.Type)
		s.close()
		requests = append(requests, s.requests...)
		if moves == 0 || !s.otherScheme && (sure || o.Outcome != backend.Unreachable) {
			best, again = o, retry
			if t.Candidate.Host != c.Host && o.Missing != backend.MissingName {
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
		left, sure = s.left+1, s.sure // the request that showed it proved nothing
		t.Candidate = next
	}
	best.Requests = requests
	return best, again
}

func (p *Prober) session(ctx context.Context, t Target, n int) *session {
	list := addresses(t)
	scheme, addr := t.Candidate.Scheme, list[n%len(list)]
	var rt http.RoundTripper
	end := func() {}
	if p.opts.RoundTripper != nil {
		rt = p.opts.RoundTripper(t.Candidate)
	}
	if rt == nil {
		own := p.transport(t, addr)
		rt, end = own, own.CloseIdleConnections
	}
	return &session{
		close: end,
		ctx:   ctx, prober: p, cand: t.Candidate, scheme: scheme, timeout: p.timeout(t.Type),
		cache: make(map[string]*answer), status: make(map[string]int),
		client: &http.Client{
			Transport:     shortRedirects{rt},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		skipVerify: scheme == "https" && p.insecure(t),
	}
}

// run asks for identity, then health, then what stands for the agent's queries.
func (s *session) run(t *catalog.Type) (o backend.Observation, again bool) {
	var err error
	if t == nil {
		o, again, err = s.anything()
	} else {
		o, again, err = s.product(t)
	}
	switch {
	case errors.Is(err, errSpent): // whoever wants to be asked without end is not asked again
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
	o.Scheme = s.scheme
	if !o.Identity && o.Outcome != backend.AuthRequired && o.Outcome != backend.Ready && t != nil {
		o.Path = s.cand.Path
	}
	o.SkipVerify = s.skipVerify
	o.OwnCA = s.scheme == "https" && s.answered && !s.skipVerify && s.prober.opts.RootCAs != nil
	o.Requests = s.requests
	return o, again
}

// anything probes what no catalog entry describes: it is up if it answers at all, with no error of its own (below 500).
// A 404, 405 or 406 is what MCP servers answer to a plain GET, and a 401 or a redirect comes from something that works.
func (s *session) anything() (o backend.Observation, again bool, err error) {
	o.Path = s.cand.Path
	base, path := s.cand.Path, "/"
	switch {
	case s.cand.HealthPath != "":
		base, path = "", s.cand.HealthPath
	case base != "":
		path = "" // the endpoint itself: a slash at its end may be another resource
	}
	a, err := s.get("health", base, path, true)
	if err != nil {
		return o, false, err
	}
	defer a.done()
	if a.status >= 500 {
		o.Outcome, o.Seen = backend.NotReady, backend.Seen{Code: backend.CodeServerError, Answer: a.show()}
		return o, true, nil
	}
	o.Outcome, o.Seen = backend.Ready, backend.Seen{Code: backend.CodeAnswered, Answer: a.show()}
	return o, false, nil
}

// product probes for a catalog type.
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
	why, res, err := s.health(t, &id)
	if err != nil {
		return o, false, err
	}
	switch res {
	case refused:
		s.refuse(&o, t, why)
		return o, false, nil
	case unmet, unwell:
		o.Outcome = backend.NotReady
		o.Seen = backend.Seen{Code: backend.CodeNotReady, Type: t.Title, Answer: why}
		return o, true, nil
	}
	if q := t.Probe.Query; q != nil {
		why, res, _, err := s.meet("query", id.base, q)
		switch {
		case err != nil:
			return o, false, err
		case res == refused:
			s.refuse(&o, t, why)
			return o, false, nil
		case res != met:
			o.Outcome = backend.NotReady
			o.Seen = backend.Seen{Code: backend.CodeNoQuery, Type: t.Title, Answer: why}
			return o, true, nil
		}
	}
	o.Outcome, o.Seen = backend.Ready, backend.Seen{Code: backend.CodeProven, Type: t.Title}
	s.warn(t, &id, &o)
	s.members(t, &id, &o)
	if o.Version == "" {
		o.Version = s.extraVersion(t, id.base)
	}
	return o, false, nil
}

// health looks at the type's checks, or at the path that the annotation gives instead: a path of the server, which must
// answer below 400.
func (s *session) health(t *catalog.Type, id *identity) (why *backend.Answer, res result, err error) {
	if s.cand.HealthPath == "" {
		if id.warning != "" {
			return nil, met, nil // nothing is known of it but that it answers
		}
		for i := range t.Probe.Health {
			why, res, _, err := s.meetAnywhere("health", id.base, &t.Probe.Health[i])
			if err == nil && res == unmet && s.degraded(t, id) {
				continue
			}
			if err != nil || res != met {
				return why, res, err
			}
		}
		return nil, met, nil
	}
	a, err := s.get("health", "", s.cand.HealthPath, true)
	if err != nil {
		return nil, unmet, err
	}
	defer a.done()
	switch barred, stands := a.barred(false); {
	case stands:
		s.bar = barred
		return a.refusal(), refused, nil
	case a.status >= 400:
		return a.shortOf(s.cand.HealthPath, backend.Lack{}), unmet, nil
	}
	return nil, met, nil
}

func (s *session) extraVersion(t *catalog.Type, base string) string {
	for i := range t.Probe.Version {
		if _, res, v, err := s.meet("version", base, &t.Probe.Version[i]); err == nil && res == met && v != "" {
			return v
		}
	}
	return ""
}
