package detect

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

func (r *reader) endpoint() *backend.Reason {
	v, ok := r.get(annEndpoint)
	if !ok {
		return nil
	}
	for _, other := range []string{annPort, annScheme, annPath} {
		if _, both := r.get(other); both {
			return bad(backend.CodeAnnotationEndpointBeside, backend.Details{Annotation: annEndpoint, Key: other})
		}
	}
	host, number, refused := r.endpointURL(v)
	if refused != nil {
		return refused
	}
	external := r.s.Type == typeExternal
	if external && r.ownHost(host) {
		host = externalHost(r.s)
	}
	for i := range r.s.Ports {
		if p := &r.s.Ports[i]; int(p.Number) == number && p.Protocol == "TCP" {
			r.n.port = p
		}
	}
	if !external && r.ownHost(host) {
		if r.n.port == nil {
			return bad(backend.CodeAnnotationEndpointPort, backend.Details{Annotation: annEndpoint, Number: number})
		}
		if r.keepsHost(host) {
			r.n.ownHost = host
		}
		return nil
	}
	if !r.d.allowsHost(host) {
		if external {
			details := backend.Details{Annotation: annEndpoint, Value: clip(host)}
			if own := externalHost(r.s); own != host && !r.d.allowsHost(own) {
				details.Host = clip(own)
			}
			return bad(backend.CodeExternalURLNotAllowed, details)
		}
		return bad(backend.CodeAnnotationEndpointHost,
			backend.Details{Annotation: annEndpoint, Value: clip(host), Host: show(r.d.hostOf(r.s))})
	}
	if r.n.port == nil {
		r.n.port = &backend.Port{Number: int32(number), Protocol: "TCP"}
	}
	r.n.host = host
	return nil
}

// endpointURL enters the scheme and the base path of the endpoint annotation, and returns its host and port.
func (r *reader) endpointURL(v string) (host string, number int, refused *backend.Reason) {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", 0, wrong(backend.CodeAnnotationEndpointURL, annEndpoint, v)
	}
	base := ""
	if u.Path != "" && u.Path != "/" {
		var ok bool
		if base, ok = safetext.BasePath(u.EscapedPath()); !ok {
			return "", 0, badPath(annEndpoint, u.EscapedPath())
		}
	}
	number = map[string]int{"http": 80, "https": 443}[u.Scheme]
	if u.Port() != "" {
		if number, err = strconv.Atoi(u.Port()); err != nil || number < 1 || number > 65535 {
			return "", 0, wrong(backend.CodeAnnotationEndpointNumber, annEndpoint, u.Port())
		}
	}
	r.n.scheme, r.n.path = u.Scheme, &base
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), number, nil
}

func (r *reader) ownHost(host string) bool {
	return host == r.s.Name || host == strings.ToLower(r.d.hostOf(r.s)) || slices.Contains(r.s.ShortNames(), host)
}

// keepsHost: the Service's own name is written as it is given. The bare name leads nowhere from another namespace.
// NAME.NAMESPACE is a host of another zone where a namespace is called like one (dev, or a domain of the company's),
// so that a stranger's is written only where a certificate is for it and for no longer name, as without the
// annotation.
func (r *reader) keepsHost(host string) bool {
	return host != r.s.Name && (host != r.s.Name+"."+r.s.Namespace || r.d.trusts(r.s.Namespace))
}

func (r *reader) health() *backend.Reason {
	key := annHealth
	v, ok := r.get(key)
	if alias, has := r.get(annHealthPath); has {
		if ok && alias != v {
			return bad(backend.CodeAnnotationHealthTwice, backend.Details{Annotation: annHealthPath, Key: annHealth})
		}
		key, v, ok = annHealthPath, alias, true
	}
	if !ok {
		return nil
	}
	if v == "none" {
		if !r.n.include {
			return bad(backend.CodeAnnotationHealthNone, backend.Details{Annotation: key, Key: annToolset})
		}
		if r.addsNothing() {
			return wrong(backend.CodeAnnotationHealthUntrusted, key, v)
		}
		r.n.unproven = true
		return nil
	}
	if !safetext.PlainPath(v, "?=&,") {
		return bad(backend.CodeAnnotationHealth,
			backend.Details{Annotation: key, Value: clip(v), Limit: safetext.MaxPath})
	}
	r.n.healthPath = v
	return nil
}
