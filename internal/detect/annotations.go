package detect

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The annotations that a Service's owner may set. The reference page shows these comments.
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
	// annPath is the base path, such as "/prometheus": at most 128 letters, digits and -._~:/, because the agent reads
	// it.
	annPath = annPrefix + "-path"
	// annEndpoint is the full URL instead of port, scheme and path. Its host must be one of the Service's own names and
	// its port one of the Service's ports, unless security.allowedEndpointHosts lists the host. For an ExternalName
	// Service that list must have the host that the Service stands for. The document has the host as it is given here,
	// if it is NAME.NAMESPACE.svc, with or without the cluster's domain. In security.trustedNamespaces the same is true
	// for NAME.NAMESPACE.
	annEndpoint = annPrefix + "-endpoint"
	// annHealth is the path to probe, such as "/healthz"; "none", on an explicit include, publishes it unproven and
	// says so (with security.annotations trusted only from the namespaces in security.trustedNamespaces).
	annHealth = annPrefix + "-health-endpoint"
	// annHealthPath is another name for kubernaut.io/toolset-health-endpoint.
	annHealthPath = annPrefix + "-health-path"
	// annTenant lists the tenants that the agent reads, separated by commas: for a gateway that has an API for each
	// tenant, and for Mimir, Loki and Tempo with tenants. At most 50, each of at most 150 letters, digits and
	// !-_.*'(). Outside the namespaces in security.trustedNamespaces each has at most 63 letters, digits, - and _, and
	// all tenants of a namespace together at most 1 KiB, the oldest Services' first.
	annTenant = annPrefix + "-tenant"
	// annPrimary is "true" for the main backend of its type (only from the namespaces in security.trustedNamespaces).
	// The primary that the configuration names comes before it.
	annPrimary = annPrefix + "-primary"
	// annLink is the URL at which people reach it, such as "https://grafana.example.com": links that the agent shows
	// then work in their browser. Outside the namespaces in security.trustedNamespaces its host must be in
	// security.allowedLinkHosts. It is never requested.
	annLink = annPrefix + "-link"
	// annDescription says what the backend is good for. The agent reads it as the owner's note: one line of at most 500
	// characters. The notes of one namespace take at most 2 KiB, all notes 16 KiB, the oldest Services' first and
	// those of trusted namespaces before others. With security.annotations trusted only trusted namespaces may leave
	// one.
	annDescription = annPrefix + "-description"
)

const (
	maxDescription = 500 // characters
	maxTenants     = 50
)

// annotations are the values that a Service's owner set, checked.
type annotations struct {
	toolset         string // the value of the main annotation, for people
	include, optOut bool
	typ             string
	name            string
	port            *backend.Port
	sets            backend.Candidate // the fields of a candidate that they set
}

// annotation is one that an owner may set, and the function that reads its value.
type annotation struct {
	key  string
	read func(r *reader, value string) backend.Reason
}

// allAnnotations lists the annotations in the order of the reference page. They are read in this order.
func allAnnotations() []annotation {
	return []annotation{
		{annToolset, (*reader).toolset},
		{annType, (*reader).typ},
		{annName, (*reader).name},
		{annPort, (*reader).port},
		{annScheme, (*reader).scheme},
		{annPath, (*reader).path},
		{annEndpoint, (*reader).endpoint},
		{annHealth, (*reader).health},
		{annHealthPath, (*reader).healthPath},
		{annTenant, (*reader).tenant},
		{annPrimary, (*reader).primary},
		{annLink, (*reader).link},
		{annDescription, (*reader).description},
	}
}

// hasAnnotations reports whether readAnnotations would find any. It does not allocate.
func hasAnnotations(s *backend.Service) bool {
	for k := range s.Annotations {
		if strings.HasPrefix(k, annPrefix) {
			return true
		}
	}
	return false
}

// readAnnotations reads and checks the Service's annotations. It stops at the first bad value and returns its fault:
// no annotation of such a Service is used. If its owner opts it out, the others need not be good.
func (d *Detector) readAnnotations(s *backend.Service) (annotations, backend.Reason) {
	r := reader{s: s, d: d}
	if !hasAnnotations(s) {
		return r.n, backend.Reason{}
	}
	if bad := r.safe(); bad.Is() {
		return r.n, bad
	}
	for _, a := range allAnnotations() {
		if v, ok := s.Annotations[a.key]; ok {
			if bad := a.read(&r, v); bad.Is() && !r.n.optOut {
				return r.n, bad
			}
		}
	}
	return r.n, backend.Reason{}
}
