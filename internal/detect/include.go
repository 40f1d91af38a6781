package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// include makes the candidate that an explicit annotation asks for, beside what else the Service is recognised as.
// Rejections do not apply to it: the owner knows better.
func (d *Detector) include(s *backend.Service, eps *backend.Endpoints, near mask, notes annotations) Result {
	if notes.typ == "" {
		return d.includeDetected(s, eps, near, notes)
	}
	c, why := d.explicit(s, eps, notes)
	if c == nil {
		return Result{Rejected: why, Type: notes.typ}
	}
	r := Result{Candidates: []*backend.Candidate{c}}
	if c.ForeignHost { // which is another backend than what the Service's labels and ports speak of
		return r
	}
	for _, guess := range decide(d.evaluateAll(s, eps, near, annotations{tenants: notes.tenants})).Candidates {
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

// includeDetected is an include without a type, which the Service's labels say. What is not certain stays a guess.
func (d *Detector) includeDetected(s *backend.Service, eps *backend.Endpoints, near mask, notes annotations) Result {
	r := decide(d.evaluateAll(s, eps, near, notes))
	sure := false
	for _, c := range r.Candidates {
		if c.Strength == backend.Strong {
			sure = true
			c.Strength = backend.Explicit
			included := backend.Sign{
				Code:  backend.SignIncluded,
				Key:   annToolset,
				Value: notes.toolset,
				Parts: c.Signs[:1],
			}
			c.Signs = append([]backend.Sign{included}, c.Signs[1:]...)
		}
	}
	if len(r.Candidates) == 0 || notes.unproven && !sure {
		return Result{
			Rejected: reason(backend.CodeAnnotationTypeMissing, backend.Details{Annotation: annType, Key: annToolset}),
		}
	}
	if notes.unproven {
		r.Candidates = slices.DeleteFunc(r.Candidates,
			func(c *backend.Candidate) bool { return c.Strength != backend.Explicit })
	}
	return r
}

// explicit is the candidate of the annotated type; nil and the reason where its port cannot be told.
func (d *Detector) explicit(
	s *backend.Service, eps *backend.Endpoints, notes annotations,
) (*backend.Candidate, backend.Reason) {
	sign := backend.Sign{Code: backend.SignTyped, Key: annToolset, Value: notes.toolset, Type: notes.typ}
	for _, t := range d.types {
		if t.Type.Type != notes.typ {
			continue
		}
		port, why := d.choosePort(t, s, notes)
		if port == nil {
			why.Code, why.Annotation = backend.CodeAnnotationPortMissing, annPort
			if port, why = onlyPort(s, why); port == nil {
				return nil, why
			}
		}
		c := d.candidate(t, s, eps, notes, catalog.FirstMatch(t.Detect.Strong, s), port, why)
		c.Strength, c.Signs = backend.Explicit, []backend.Sign{sign}
		return c, backend.Reason{}
	}
	port, why := d.anyPort(s, notes)
	if port == nil {
		return nil, why
	}
	c := d.base(s, eps, notes, port, why)
	c.Type, c.Custom = notes.typ, notes.typ != backend.TypeMCP
	if !c.FixedScheme {
		c.Scheme = d.schemeOf(&compiled{Type: &catalog.Type{}}, s, nil, port)
	}
	c.Strength, c.Signs = backend.Explicit, []backend.Sign{sign}
	return c, backend.Reason{}
}

// anyPort chooses the port of a type that the catalog does not know: the annotated one, one called http or https, or
// the only TCP port.
func (d *Detector) anyPort(s *backend.Service, notes annotations) (*backend.Port, backend.Reason) {
	plain := &compiled{Type: &catalog.Type{Title: notes.typ}}
	plain.Ports.Names = []string{"http", "https", "web", "api", "mcp", "http-mcp", "mcp-http"}
	port, why := d.choosePort(plain, s, notes)
	switch {
	case port == nil:
		return onlyPort(s, reason(backend.CodeAnnotationPortUnclear, backend.Details{Annotation: annPort}))
	case notes.port != nil:
		return port, why
	}
	return port, backend.Reason{Code: backend.CodePortLooksHTTP}
}

// onlyPort is the Service's only TCP port, whatever it usually serves, since its owner says what it is; else nil and
// why.
func onlyPort(s *backend.Service, why backend.Reason) (*backend.Port, backend.Reason) {
	var only *backend.Port
	for i := range s.Ports {
		if p := &s.Ports[i]; p.Protocol == "TCP" {
			if only != nil {
				return nil, why
			}
			only = p
		}
	}
	if only == nil {
		return nil, why
	}
	return only, backend.Reason{Code: backend.CodePortOnly}
}

// external makes of an included ExternalName Service what is asked: the host that it stands for, if the configuration
// allows it. The Service's own name is of no use to the backend there, nor fits it its certificate.
func (d *Detector) external(s *backend.Service, notes *annotations) *backend.Reason {
	host := externalHost(s)
	switch {
	case !d.allowsHost(host):
		return wrong(backend.CodeExternalNotAllowed, annToolset, host)
	case notes.host != "":
	case len(s.Ports) == 0:
		return bad(backend.CodeAnnotationEndpointMissing, backend.Details{Annotation: annEndpoint, Host: show(host)})
	default:
		notes.host = host
	}
	return nil
}

// externalHost is the host that an ExternalName Service stands for.
func externalHost(s *backend.Service) string {
	return strings.ToLower(strings.TrimSuffix(s.ExternalName, "."))
}

func (d *Detector) allowsHost(host string) bool {
	return host != "" &&
		slices.ContainsFunc(d.opts.AllowedEndpointHosts, func(h string) bool { return strings.EqualFold(h, host) })
}
