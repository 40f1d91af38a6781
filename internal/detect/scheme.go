package detect

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// schemeOf guesses the scheme that the pods serve: from appProtocol, an annotation for a load balancer or a mesh, the
// port's name, the number 443 or 8443, the rule and the type. A Service port 443 or 8443 in front of the type's own
// plain port says nothing, because TLS then ends at a load balancer. told is false if only the type decides.
func (d *Detector) schemeOf(t *compiled, s *backend.Service, rule *catalog.Rule, p *backend.Port) (
	scheme string, told bool,
) {
	switch protocol := strings.ToLower(p.AppProtocol); protocol {
	case "https", "http":
		return protocol, true
	}
	if !t.owns(ownNumber(t, p)) || !hasTLSBeside(s, p) {
		if r := catalog.FirstMatch(d.look.Schemes, s); r != nil {
			return r.Scheme, true
		}
	}
	usual := cmp.Or(t.Ports.Scheme, "http")
	if rule != nil && rule.Scheme != "" && p.Name != "http" { // operators that serve TLS name their plain port http
		usual, told = rule.Scheme, true
	}
	number := target(p)
	switch {
	case hasWord(p.Target.StrVal, "https"), number == 443, number == 8443:
		return "https", true
	case hasWord(p.Target.StrVal, "http"): // the name that the pods give counts more than the Service's
		return usual, told
	case hasWord(p.Name, "https"):
		return "https", true
	case (p.Number == 443 || p.Number == 8443) && !t.ownTarget(p):
		return "https", true
	}
	return usual, told
}

// hasTLSBeside reports whether another port of the Service serves TLS, such as that of an OAuth proxy. Annotations are
// then about that one, not about the type's own port.
func hasTLSBeside(s *backend.Service, p *backend.Port) bool {
	return slices.ContainsFunc(s.Ports, func(o backend.Port) bool {
		return o.Number != p.Number && (hasWord(o.Name, "https") || o.Name == "oauth-proxy" || o.Number == 443)
	}) && !hasWord(p.Name, "https")
}

// ownTarget reports whether the pods' port is the type's own, by its number or its name.
func (t *compiled) ownTarget(p *backend.Port) bool {
	return slices.Contains(t.Ports.Numbers, target(p)) || p.Target.StrVal != "" && t.means(p.Target.StrVal) ||
		hasWord(p.Target.StrVal, "web")
}

func hasWord(value, word string) bool { return slices.Contains(words(value), word) }
