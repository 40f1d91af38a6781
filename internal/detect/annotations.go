package detect

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The annotations that a Service's owner may set. What is said here is what the reference page says.
const (
	annPrefix = "kubernaut.io/toolset"

	// annToolset is "true" or "enabled" to include the Service, whatever it looks like, and "false" or "disabled" to
	// keep it out, whatever else matches.
	annToolset = annPrefix
	// annType is needed to include, unless the labels already say it: a type of the catalog; "custom", or a name of
	// the owner's own (a DNS label), for anything that speaks HTTP (with security.annotations trusted only from the
	// namespaces in security.trustedNamespaces); or "mcp" for an MCP server, only from those namespaces. Without an
	// include it narrows detection to that type.
	annType = annPrefix + "-type"
	// annName is the instance's name in the documents, a DNS label; without it <namespace>/<service>. From outside the
	// namespaces in security.trustedNamespaces it is written <namespace>/<name>. Where two claim one, the older Service
	// keeps it and the other is rejected.
	annName = annPrefix + "-name"
	// annPort is the name or the number of one of the Service's TCP ports.
	annPort = annPrefix + "-port"
	// annScheme is "http" or "https".
	annScheme = annPrefix + "-scheme"
	// annPath is the base path, such as "/prometheus": at most 128 letters, digits and -._~:/, which the agent reads.
	annPath = annPrefix + "-path"
	// annEndpoint is the full URL instead of port, scheme and path. Its host is one of the Service's own names and
	// its port one of its ports, unless security.allowedEndpointHosts lists the host. NAME.NAMESPACE.svc, with the
	// cluster's domain or without, stays as it is given, and in security.trustedNamespaces NAME.NAMESPACE. For an
	// ExternalName Service it has to list the host that the Service stands for.
	annEndpoint = annPrefix + "-endpoint"
	// annHealth is the path to probe, such as "/healthz"; "none", on an explicit include, publishes it unproven and
	// says so (with security.annotations trusted only from the namespaces in security.trustedNamespaces).
	annHealth = annPrefix + "-health-endpoint"
	// annHealthPath is another name for kubernaut.io/toolset-health-endpoint.
	annHealthPath = annPrefix + "-health-path"
	// annTenant is the tenants that the agent is to read, separated by commas, for a gateway that has an API for each
	// and for Mimir, Loki and Tempo that want one named: letters, digits and !-_.*'(), at most 150 characters each,
	// at most 50. Outside the namespaces in security.trustedNamespaces: letters, digits, - and _, at most 63
	// characters each, and 1 KiB for all of a namespace, the oldest Services' first.
	annTenant = annPrefix + "-tenant"
	// annPrimary is "true" for the main backend of its type (only from the namespaces in security.trustedNamespaces).
	// What the configuration names under primary comes before it.
	annPrimary = annPrefix + "-primary"
	// annLink is the URL at which people reach it, such as "https://grafana.example.com": what the agent shows people
	// then opens in their browser. Outside the namespaces in security.trustedNamespaces its host has to be in
	// security.allowedLinkHosts. It is never requested.
	annLink = annPrefix + "-link"
	// annDescription is what the backend is good for, told to the agent as the owner's note: one line of at most 500
	// characters. The notes of one namespace take at most 2 KiB, all notes 16 KiB, the oldest Services' first and
	// those of trusted namespaces before others. With security.annotations trusted only trusted namespaces may leave
	// one.
	annDescription = annPrefix + "-description"
)

const (
	maxDescription = 500 // characters
	maxTenants     = 50
)

// annotations is what a Service's owner says of it, already checked.
type annotations struct {
	toolset         string // the value of the main annotation, for people
	include, optOut bool
	typ             string
	name            string
	port            *backend.Port
	scheme          string
	path            *string
	host            string // a foreign host that the configuration allows; "" otherwise
	ownHost         string // one of the Service's own names that resolves in every namespace, as given; "" otherwise
	healthPath      string
	unproven        bool
	tenants         []string
	primary         bool
	link            string
	description     string
}

// bad is the reason why an annotation cannot be used.
func bad(code backend.Code, details backend.Details) *backend.Reason {
	return &backend.Reason{Code: code, Details: details}
}

// hasAnnotations is the cheap question before readAnnotations.
func hasAnnotations(s *backend.Service) bool {
	for k := range s.Annotations {
		if strings.HasPrefix(k, annPrefix) {
			return true
		}
	}
	return false
}

// readAnnotations reads and checks the Service's annotations. The first bad value, in the order of the spec's table, is
// returned; nothing of a Service with a bad value is used.
func (d *Detector) readAnnotations(s *backend.Service) (annotations, *backend.Reason) {
	var n annotations
	if !hasAnnotations(s) {
		return n, nil
	}
	r := reader{s: s, d: d, n: &n}
	for _, read := range []func() *backend.Reason{
		r.safe, r.toolset, r.typ, r.name, r.port, r.scheme, r.path, r.endpoint, r.health, r.tenant,
		r.primary, r.link, r.description,
	} {
		if bad := read(); bad != nil {
			return n, bad
		}
	}
	return n, nil
}
