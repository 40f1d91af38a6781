package detect

import (
	"net/url"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

func (r *reader) endpoint(v string) backend.Reason {
	for _, other := range []string{annPort, annScheme, annPath} {
		if _, both := r.s.Annotations[other]; both {
			return reason(backend.CodeAnnotationEndpointBeside, backend.Details{Annotation: annEndpoint, Key: other})
		}
	}
	host, number, refused := r.endpointURL(v)
	if refused.Is() {
		return refused
	}
	external := r.s.Type == typeExternal
	if external && r.ownHost(host) {
		host = externalHost(r.s)
	}
	for i := range r.s.Ports {
		if p := &r.s.Ports[i]; p.Number == number && p.Protocol == "TCP" {
			r.n.port = p
		}
	}
	if !external && r.ownHost(host) {
		if r.n.port == nil {
			return reason(backend.CodeAnnotationEndpointPort,
				backend.Details{Annotation: annEndpoint, Number: int(number)})
		}
		if r.keepsHost(host) {
			r.n.sets.Host, r.n.sets.FixedHost = host, true
		}
		return backend.Reason{}
	}
	if !r.d.allowsHost(host) {
		if external {
			details := backend.Details{Annotation: annEndpoint, Value: clip(host)}
			if own := externalHost(r.s); own != host && !r.d.allowsHost(own) {
				details.Host = clip(own)
			}
			return reason(backend.CodeExternalURLNotAllowed, details)
		}
		return reason(backend.CodeAnnotationEndpointHost,
			backend.Details{Annotation: annEndpoint, Value: clip(host), Host: show(r.d.hostOf(r.s))})
	}
	if r.n.port == nil {
		r.n.port = &backend.Port{Number: number, Protocol: "TCP"}
	}
	r.n.sets.Host, r.n.sets.ForeignHost = host, true
	return backend.Reason{}
}

// endpointURL sets the scheme and the base path of the endpoint annotation, and returns its host and port.
func (r *reader) endpointURL(v string) (host string, number int32, refused backend.Reason) {
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
	if number = portOf(u); number == 0 {
		return "", 0, wrong(backend.CodeAnnotationEndpointNumber, annEndpoint, u.Port())
	}
	r.n.sets.Scheme, r.n.sets.FixedScheme = u.Scheme, true
	r.n.sets.Path, r.n.sets.FixedPath = base, true
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), number, backend.Reason{}
}

func (r *reader) ownHost(host string) bool {
	return host == r.s.Name || host == strings.ToLower(r.d.hostOf(r.s)) || slices.Contains(r.s.ShortNames(), host)
}

// keepsHost reports whether one of the Service's own names is written as it was given. The bare name resolves only in
// the Service's namespace. NAME.NAMESPACE may be a public host, if the namespace is called like a top-level domain
// (dev) or one of the company's. So outside trusted namespaces it is written only if the certificate is for no longer
// name, as without the annotation.
func (r *reader) keepsHost(host string) bool {
	return host != r.s.Name && (host != r.s.Name+"."+r.s.Namespace || r.d.trusts(r.s.Namespace))
}

// health reads kubernaut.io/toolset-health-endpoint. Its other name may stand beside it with the same value.
func (r *reader) health(v string) backend.Reason {
	if alias, both := r.s.Annotations[annHealthPath]; both && alias != v {
		return reason(backend.CodeAnnotationHealthTwice, backend.Details{Annotation: annHealthPath, Key: annHealth})
	}
	return r.probed(annHealth, v)
}

func (r *reader) healthPath(v string) backend.Reason { return r.probed(annHealthPath, v) }

// probed reads the path to probe, or "none", from the annotation key.
func (r *reader) probed(key, v string) backend.Reason {
	switch {
	case v == "none" && !r.n.include:
		return reason(backend.CodeAnnotationHealthNone, backend.Details{Annotation: key, Key: annToolset})
	case v == "none" && r.addsNothing():
		return wrong(backend.CodeAnnotationHealthUntrusted, key, v)
	case v == "none":
		r.n.sets.Unproven = true
	case !safetext.PlainPath(v, "?=&,"):
		return reason(backend.CodeAnnotationHealth,
			backend.Details{Annotation: key, Value: clip(v), Limit: safetext.MaxPath})
	default:
		r.n.sets.HealthPath = v
	}
	return backend.Reason{}
}
