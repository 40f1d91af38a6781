package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// include makes the candidate that the annotations ask for, and those of other types that the Service is recognised as.
// Look-alike rules do not apply to the first: the owner knows better.
func (d *Detector) include(s *backend.Service, eps *backend.Endpoints, near mask, notes annotations) Result {
	if notes.typ == "" {
		return d.includeDetected(s, eps, near, notes)
	}
	c, why := d.explicit(s, eps, notes)
	if c == nil {
		return Result{Rejected: why, Type: notes.typ}
	}
	r := Result{Candidates: []*backend.Candidate{c}}
	if c.ForeignHost { // the Service's labels and ports do not describe that host
		return r
	}
	guesses := annotations{sets: backend.Candidate{Tenants: notes.sets.Tenants}}
	for _, guess := range decide(d.evaluateAll(s, eps, near, guesses)).Candidates {
		samePort := guess.Port.Number == c.Port.Number
		switch {
		case guess.Type == c.Type:
		case d.catalog.Relatives(guess.Type, c.Type), samePort && guess.Strength < backend.Strong:
			c.Signs[0].Parts = append(c.Signs[0].Parts,
				backend.Sign{Code: backend.SignOtherType, Type: guess.Type, Parts: guess.Signs[:1]})
		default:
			r.Candidates = append(r.Candidates, guess)
		}
	}
	return r
}

// includeDetected includes a Service without an annotated type. Its labels give the type, and weak evidence stays weak.
func (d *Detector) includeDetected(s *backend.Service, eps *backend.Endpoints, near mask, notes annotations) Result {
	r := decide(d.evaluateAll(s, eps, near, notes))
	sure := false
	for _, c := range r.Candidates {
		if c.Strength == backend.Strong {
			sure = true
			c.Strength = backend.Explicit
			included := backend.Sign{
				Code: backend.SignIncluded, Key: annToolset, Value: notes.toolset, Parts: c.Signs[:1],
			}
			c.Signs = append([]backend.Sign{included}, c.Signs[1:]...)
		}
	}
	if len(r.Candidates) == 0 || notes.sets.Unproven && !sure {
		return Result{
			Rejected: reason(backend.CodeAnnotationTypeMissing, backend.Details{Annotation: annType, Key: annToolset}),
		}
	}
	if notes.sets.Unproven {
		r.Candidates = slices.DeleteFunc(r.Candidates,
			func(c *backend.Candidate) bool { return c.Strength != backend.Explicit })
	}
	return r
}

// explicit makes the candidate of the annotated type; nil and the reason if its port is unclear.
func (d *Detector) explicit(
	s *backend.Service, eps *backend.Endpoints, notes annotations,
) (*backend.Candidate, backend.Reason) {
	t := d.lookup(notes.typ)
	own := t == nil // a custom API or an MCP server
	if own {
		t = &compiled{Type: &catalog.Type{Type: notes.typ, Title: notes.typ}}
		t.Ports.Names = []string{"http", "https", "web", "api", "mcp", "http-mcp", "mcp-http"}
	}
	port, why := d.choosePort(t, s, notes, true)
	switch {
	case port == nil && own:
		port, why = onlyPort(s, reason(backend.CodeAnnotationPortUnclear, backend.Details{Annotation: annPort}))
	case port == nil:
		why.Code, why.Annotation = backend.CodeAnnotationPortMissing, annPort
		port, why = onlyPort(s, why)
	case own && notes.port == nil:
		why = backend.Reason{Code: backend.CodePortLooksHTTP}
	}
	if port == nil {
		return nil, why
	}
	rule, front := d.strongRule(t, s), catalog.FirstMatch(t.Detect.Fronts, s)
	c := d.candidate(t, s, eps, notes, rule, front, port, why)
	c.Custom, c.Strength = own && notes.typ != backend.TypeMCP, backend.Explicit
	c.Signs = []backend.Sign{{Code: backend.SignTyped, Key: annToolset, Value: notes.toolset, Type: notes.typ}}
	return c, backend.Reason{}
}

// onlyPort returns the Service's only TCP port, whatever it usually serves: the owner says what it is. If there is none
// or more than one, it returns nil and why.
func onlyPort(s *backend.Service, why backend.Reason) (*backend.Port, backend.Reason) {
	ports := slices.DeleteFunc(slices.Clone(s.Ports), func(p backend.Port) bool { return p.Protocol != "TCP" })
	if len(ports) != 1 {
		return nil, why
	}
	return &ports[0], backend.Reason{Code: backend.CodePortOnly}
}

// external sets the host that an included ExternalName Service stands for, if the configuration allows that host. The
// backend there does not know the Service's own name, and its certificate is not for that name.
func (d *Detector) external(s *backend.Service, notes *annotations) backend.Reason {
	host := externalHost(s)
	switch {
	case !d.allowsHost(host):
		return wrong(backend.CodeExternalNotAllowed, annToolset, host)
	case notes.sets.ForeignHost:
	case len(s.Ports) == 0:
		return reason(backend.CodeAnnotationEndpointMissing, backend.Details{Annotation: annEndpoint, Host: show(host)})
	default:
		notes.sets.Host, notes.sets.ForeignHost = host, true
	}
	return backend.Reason{}
}

// externalHost returns the host that an ExternalName Service stands for.
func externalHost(s *backend.Service) string {
	return strings.ToLower(strings.TrimSuffix(s.ExternalName, "."))
}

func (d *Detector) allowsHost(host string) bool {
	return host != "" &&
		slices.ContainsFunc(d.opts.AllowedEndpointHosts, func(h string) bool { return strings.EqualFold(h, host) })
}
