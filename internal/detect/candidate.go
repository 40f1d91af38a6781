package detect

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// candidate returns where the backend is reached. The caller decides its strength.
func (d *Detector) candidate(t *compiled, s *backend.Service, eps *backend.Endpoints, notes annotations,
	rule *catalog.Rule, port *backend.Port, why backend.Reason) *backend.Candidate {
	c := d.base(s, eps, notes, port, why)
	c.Type = t.Type.Type
	for i := range t.Detect.Bundled {
		if matches(&t.Detect.Bundled[i], s) {
			c.Bundled = t.Detect.Bundled[i].Because
			break
		}
	}
	if !c.FixedScheme {
		c.Scheme = d.schemeOf(t, s, rule, port)
	}
	// The type's own number is what the pods listen on; but the Prometheus operator's own Services keep theirs where
	// the pods have another (OpenShift).
	if t.owns(port.Number) && (rule == nil || rule.Tier < tierTwin) {
		c.PortGuessed = false
	}
	c.Stem, c.Tier = t.node(s.Name)
	switch {
	case rule != nil:
		c.Tier = max(c.Tier, rule.Tier)
		if !c.FixedPath {
			c.Path = rule.Path
		}
	case d.front(t, s) != nil:
		c.Tier = backend.TierFront
	}
	return c
}

// tierTwin is the tier of Services that an operator makes for itself, beside the one that people make.
const tierTwin = 9

// base returns the part of a candidate that does not depend on what recognised it.
func (d *Detector) base(
	s *backend.Service, eps *backend.Endpoints, notes annotations, port *backend.Port, why backend.Reason,
) *backend.Candidate {
	c := &backend.Candidate{
		Service:     s,
		Instance:    d.InstanceName(s.Ref, notes.name),
		Port:        *port,
		PortNumber:  port.Number,
		PortReason:  why,
		Host:        d.hostOf(s),
		FullName:    d.hostOf(s),
		HealthPath:  notes.healthPath,
		Unproven:    notes.unproven,
		Tenants:     notes.tenants,
		Primary:     notes.primary,
		Link:        notes.link,
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
		return c
	}
	if notes.ownHost != "" {
		c.Host, c.FixedHost = notes.ownHost, true
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

// KeepAnnotation reports whether detection reads the annotation, so that a store of Services can drop the others.
func (d *Detector) KeepAnnotation(key string) bool {
	return strings.HasPrefix(key, annPrefix) || d.index.keys[key] != nil || d.look.readKeys[key]
}
