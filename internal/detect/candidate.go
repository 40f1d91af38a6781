package detect

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// candidate makes the candidate of one type, by its strong rule or its front rule. The caller sets its strength.
func (d *Detector) candidate(t *compiled, s *backend.Service, eps *backend.Endpoints, notes annotations,
	rule, front *catalog.Rule, port *backend.Port, why backend.Reason) *backend.Candidate {
	c := d.base(s, eps, notes, port, why)
	c.Type = t.Type.Type
	if bundled := catalog.FirstMatch(t.Detect.Bundled, s); bundled != nil {
		c.Bundled = bundled.Because
	}
	if !c.FixedScheme {
		c.Scheme, c.SchemeTold = d.schemeOf(t, s, rule, port)
	}
	if !c.FixedPath {
		c.Path = t.Ports.Path
	}
	// Pods usually listen on the type's own number. But the Services that the Prometheus operator makes have that
	// number even if the pods listen on another (OpenShift).
	if t.owns(port.Number) && (rule == nil || rule.Tier < backend.TierTwin) {
		c.PortGuessed = false
	}
	if len(t.Detect.Nodes) > 0 {
		c.Stem, c.Tier = t.node(s.Name, d.parts(t, s))
		c.Cluster = t.clusterOf(s)
	}
	switch {
	case rule != nil:
		c.Tier = max(c.Tier, rule.Tier)
		if !c.FixedPath && rule.Path != "" {
			c.Path = rule.Path
		}
	case front != nil:
		c.Tier = backend.TierFront
	}
	return c
}

// parts returns what labels and the selector say about which part of its software the Service leads to. The names of
// its cluster and of its installation, which people choose, say nothing about that.
func (d *Detector) parts(t *compiled, s *backend.Service) (values []string) {
	for _, k := range d.look.AppLabels {
		values = append(values, s.Labels[k])
	}
	for _, k := range sortedKeys(s.Selector, func(k, v string) bool {
		return k != instanceKey && k != releaseKey && !t.namesCluster(k, v)
	}) {
		values = append(values, s.Selector[k])
	}
	return values
}

// base makes the part of a candidate that does not depend on the type.
func (d *Detector) base(
	s *backend.Service, eps *backend.Endpoints, notes annotations, port *backend.Port, why backend.Reason,
) *backend.Candidate {
	c := notes.sets
	c.Service, c.Instance = s, d.InstanceName(s.Ref, notes.name)
	c.Port, c.PortNumber, c.PortReason = *port, port.Number, why
	c.FullName = d.hostOf(s)
	c.Host = cmp.Or(c.Host, c.FullName)
	if s.Headless() && !c.ForeignHost {
		switch pod, n := eps.PodPort(port.Name), target(port); {
		case pod != 0:
			c.PortNumber = pod
		case n != 0:
			c.PortNumber = n
		default:
			c.PortGuessed = true
		}
	}
	return &c
}

func (d *Detector) hostOf(s *backend.Service) string {
	return s.Name + "." + s.Namespace + ".svc." + d.opts.ClusterDomain
}

// wants returns what the catalog says that backends like the candidate require of their clients, each once.
func (d *Detector) wants(c *backend.Candidate) (list []backend.Want) {
	if c.ForeignHost { // the Service's labels do not describe that host
		return nil
	}
	for _, w := range d.look.Wants {
		rule := catalog.Rule{Labels: w.Labels, Annotations: w.Annotations}
		want := backend.Want{Credential: backend.Kind(w.Credential), CA: w.CA, What: w.What}
		if rule.Matches(c.Service) && (!w.CA || c.Scheme == "https") && !slices.Contains(list, want) {
			list = append(list, want)
		}
	}
	return list
}

// KeepAnnotation reports whether detection reads the annotation, so that a store of Services can drop the others.
func (d *Detector) KeepAnnotation(key string) bool {
	return strings.HasPrefix(key, annPrefix) || d.index.keys[key] != nil || d.look.readKeys[key]
}
