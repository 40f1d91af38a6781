package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// schemeOf guesses what the pods speak: from appProtocol, an annotation for a load balancer or a mesh, the
// port's name, the number 443 or 8443, the rule and the type. The number says nothing where it only stands before the
// type's own plain port: TLS ends at a load balancer then.
func (d *Detector) schemeOf(t *compiled, s *backend.Service, rule *catalog.Rule, p *backend.Port) string {
	switch strings.ToLower(p.AppProtocol) {
	case "https":
		return "https"
	case "http":
		return "http"
	}
	for i := range d.look.Schemes {
		if r := &d.look.Schemes[i]; allLabels(r.Annotations, s.Annotations) {
			return r.Scheme
		}
	}
	usual := t.Ports.Scheme
	switch {
	case rule != nil && rule.Scheme != "" && p.Name != "http": // an operator that serves TLS names a port without it so
		usual = rule.Scheme
	case usual == "":
		usual = "http"
	}
	number := target(p)
	switch {
	case hasWord(p.Target.StrVal, "https"), number == 443, number == 8443:
		return "https"
	case hasWord(p.Target.StrVal, "http"): // the pods' own word, which counts more than the Service's
		return usual
	case hasWord(p.Name, "https"):
		return "https"
	case (p.Number == 443 || p.Number == 8443) && !t.ownTarget(p):
		return "https"
	}
	return usual
}

// ownTarget reports whether the pods' port is the type's own, by its number or its name.
func (t *compiled) ownTarget(p *backend.Port) bool {
	return slices.Contains(t.Ports.Numbers, target(p)) || p.Target.StrVal != "" && t.means(p.Target.StrVal) ||
		hasWord(p.Target.StrVal, "web")
}

func hasWord(value, word string) bool { return slices.Contains(words(value), word) }
