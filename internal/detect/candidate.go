package detect

import (
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// candidate puts together where the backend is to be reached. Its strength is the caller's to decide.
func (d *Detector) candidate(t *compiled, s *backend.Service, eps *backend.Endpoints, notes annotations,
	rule *catalog.Rule, port *backend.Port, why string) *backend.Candidate {
	c := d.base(s, eps, notes, port, why)
	c.Type = t.Type.Type
	if !c.FixedScheme {
		c.Scheme = d.schemeOf(t, s, rule, port)
	}
	if rule != nil {
		c.Tier = rule.Tier
		if !c.FixedPath {
			c.Path = rule.Path
		}
	}
	return c
}

// base is what any candidate has, whatever recognised it.
func (d *Detector) base(s *backend.Service, eps *backend.Endpoints, notes annotations, port *backend.Port, why string) *backend.Candidate {
	c := &backend.Candidate{
		Service:     s,
		Instance:    d.InstanceName(s.Ref, notes.name),
		Port:        *port,
		PortNumber:  port.Number,
		PortReason:  why,
		Host:        d.hostOf(s),
		HealthPath:  notes.healthPath,
		Unproven:    notes.unproven,
		Tenants:     notes.tenants,
		Primary:     notes.primary,
		Description: notes.description,
	}
	if notes.scheme != "" {
		c.Scheme, c.FixedScheme = notes.scheme, true
	}
	if notes.path != nil {
		c.Path, c.FixedPath = *notes.path, true
	}
	if notes.host != "" {
		c.Host, c.ForeignHost = notes.host, true
		c.PortNumber = notes.hostPort
		return c
	}
	if s.Headless() {
		switch pod, n := eps.PodPort(port.Name), target(port); {
		case pod != 0:
			c.PortNumber = pod
		case n != 0:
			c.PortNumber = n
		default:
			c.PortGuessed = true
		}
	}
	return c
}

func (d *Detector) hostOf(s *backend.Service) string {
	return s.Name + "." + s.Namespace + ".svc." + d.opts.ClusterDomain
}

// KeepAnnotation reports whether detection reads the annotation, so that whoever stores Services can drop the others.
func (d *Detector) KeepAnnotation(key string) bool {
	return strings.HasPrefix(key, annPrefix) || d.index.keys[key] != nil || d.look.schemeKeys[key]
}

// include makes the candidate that an explicit annotation asks for. Rejections do not apply: the owner knows better.
func (d *Detector) include(s *backend.Service, eps *backend.Endpoints, notes annotations) Result {
	sign := fmt.Sprintf("its annotations %s=%s and %s=%s", annToolset, notes.toolset, annType, notes.typ)
	for _, t := range d.types {
		if t.Type.Type != notes.typ {
			continue
		}
		port, why := d.choosePort(t, s, notes)
		if port == nil {
			return Result{Rejected: why + "; name one in " + annPort, Type: notes.typ, Annotation: annPort}
		}
		c := d.candidate(t, s, eps, notes, d.strongRule(t, s), port, why)
		c.Strength, c.Signs = backend.Explicit, []string{sign}
		return Result{Candidates: []*backend.Candidate{c}}
	}
	port, why := d.anyPort(s, notes)
	if port == nil {
		return Result{Rejected: why, Type: notes.typ, Annotation: annPort}
	}
	c := d.base(s, eps, notes, port, why)
	c.Type, c.Custom = notes.typ, notes.typ != backend.TypeMCP
	if !c.FixedScheme {
		c.Scheme = d.schemeOf(&compiled{Type: &catalog.Type{}}, s, nil, port)
	}
	c.Strength, c.Signs = backend.Explicit, []string{sign}
	return Result{Candidates: []*backend.Candidate{c}}
}

// anyPort chooses the port of a type that the catalog does not know: the annotated one, one called http or https, or the
// only TCP port.
func (d *Detector) anyPort(s *backend.Service, notes annotations) (*backend.Port, string) {
	plain := &compiled{Type: &catalog.Type{Title: "a toolset of the type " + notes.typ}}
	plain.Ports.Names = []string{"http", "https", "web", "api", "mcp", "http-mcp", "mcp-http"}
	port, _ := d.choosePort(plain, s, notes)
	if port == nil {
		return nil, fmt.Sprintf("which of its ports (%s) to use cannot be told: name one in %s", PortList(s), annPort)
	}
	if notes.port != nil {
		return port, fmt.Sprintf("port %s, as the annotation %s says", portText(port), annPort)
	}
	return port, fmt.Sprintf("port %s: the one that looks like HTTP", portText(port))
}
