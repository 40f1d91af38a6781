package view

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// adviseRejected returns the advice for a Service that cannot be published as it is now.
func (h Hints) adviseRejected(f *backend.Finding) []Advice {
	switch f.Reason.Code {
	case backend.CodeOptedOut:
		return h.annotate(f, "To allow it again:", "kubernaut.io/toolset-")
	case backend.CodeAnnotationMCPUntrusted, backend.CodeAnnotationTypeUntrusted, backend.CodeAnnotationHealthUntrusted,
		backend.CodeAnnotationNoteUntrusted, backend.CodeAnnotationPrimaryUntrusted, backend.CodeAnnotationLinkHost:
		return append(h.annotate(f, "Remove the annotation:", f.Reason.Annotation+"-"),
			Advice{"Or trust its namespace in the configuration:", trust(f)})
	case backend.CodeTypeOff:
		return []Advice{{"Switch its type on in the configuration:",
			fmt.Sprintf("types: {%s: {enabled: true}}", f.Reason.Type)}}
	case backend.CodeTypeElsewhere:
		var all []string
		for _, pattern := range strings.Split(f.Reason.Value, ", ") {
			all = append(all, strconv.Quote(pattern))
		}
		return []Advice{{"Add its namespace to those of its type in the configuration:",
			fmt.Sprintf("types: {%s: {namespaces: [%s, %q]}}", f.Reason.Type, strings.Join(all, ", "), f.Namespace)}}
	case backend.CodeExternalName, backend.CodeExternalNotAllowed, backend.CodeExternalURLNotAllowed:
		return h.adviseHost(f, f.Reason.Code != backend.CodeExternalName)
	case backend.CodeAnnotationPortMissing, backend.CodeAnnotationPortUnclear:
		return h.annotate(f, "Name the right port:", f.Reason.Annotation+"=PORT")
	case backend.CodeNamespaceCandidates, backend.CodeNamespaceBackends:
		return []Advice{
			{"Raise the limit of each namespace in the configuration:", "security: {maxInstancesPerNamespace: NUMBER}"},
			{"Or trust its namespace:", trust(f)},
		}
	case backend.CodeNamespaceRead:
		return []Advice{{"Exclude the backends that are not needed, " +
			"or trust its namespace in the configuration:", trust(f)}}
	case backend.CodeNamespaceServices:
		return []Advice{{"Remove those that are not needed:", fmt.Sprintf("kubectl -n %s get services", f.Namespace)}}
	case backend.CodeNamespacePaths, backend.CodeNamespaceTenants:
		return []Advice{{"Choose shorter ones, or trust its namespace in the configuration:", trust(f)}}
	case backend.CodeNoPorts, backend.CodeTooManyPorts, backend.CodeNoTCPPort, backend.CodeTooManyEntries,
		backend.CodeBadPortNumber: // an annotation does not help
		return nil
	case backend.CodeDocumentSize:
		return []Advice{{"Exclude namespaces in the configuration:", "discovery: {excludeNamespaces: [NAMESPACE]}"}}
	}
	return h.adviseMistaken(f)
}

// adviseMistaken returns the advice for a Service that detection possibly got wrong.
func (h Hints) adviseMistaken(f *backend.Finding) []Advice {
	switch {
	case f.Reason.Annotation != "":
		return h.annotate(f, "Correct the annotation:", "--overwrite", f.Reason.Annotation+"=VALUE")
	case len(f.Service.Ports) == 0:
		return nil
	case f.Observation.Cause == backend.CauseDenied:
		return adviseDenied(f)
	case f.Candidate != nil && f.Observation.Seen.Code == backend.CodeOtherProduct:
		return h.relocate(f, "If that is right, do nothing. "+
			"If it is "+f.Type+" after all, its port or base path is wrong; set the right one:")
	case f.Candidate != nil && f.Candidate.Strength == backend.Explicit:
		return h.relocate(f, "If the port or the base path is wrong, set the right one:")
	case f.Candidate != nil && f.Observation.Outcome == backend.WrongIdentity && !answered(&f.Observation):
		return h.annotate(f, "The port does not speak HTTP, so no toolset can use it. "+
			"If another port of the Service does, name it:", "kubernaut.io/toolset-port=PORT")
	case f.Candidate != nil && f.Candidate.Strength == backend.Strong && nowhere(&f.Observation):
		return h.annotate(f, "It answers, but has nothing at the paths that were tried. "+
			"Most likely it has a base path. Name it:", "kubernaut.io/toolset-path=/PATH")
	case f.Candidate != nil:
		return h.annotate(f, "If it is something that the catalog does not know, "+
			"it can be included as an HTTP toolset:", "kubernaut.io/toolset=true", "kubernaut.io/toolset-type=custom")
	case f.Type == "":
		return h.include(f, "If it is a backend after all, include it with its type (the command catalog lists the "+
			"types; custom is for any other HTTP API):")
	}
	return h.include(f, "If it is "+f.Type+" after all, include it:")
}

// answered reports whether a response in HTTP came, or the requests are not known any more.
func answered(o *backend.Observation) bool {
	return len(o.Requests) == 0 || slices.ContainsFunc(o.Requests,
		func(r backend.Request) bool { return r.Status() != 0 })
}

// nowhere reports whether each request got status 404.
func nowhere(o *backend.Observation) bool {
	return len(o.Requests) > 0 && !slices.ContainsFunc(o.Requests,
		func(r backend.Request) bool { return r.Status() != http.StatusNotFound })
}

// adviseHost returns the advice for a Service that leads to a host outside the cluster. included reports that the
// Service has an include annotation already.
func (h Hints) adviseHost(f *backend.Finding, included bool) (out []Advice) {
	var hosts []string
	add := func(host string) {
		// A stranger can choose the host: lines to copy get it only if it is a valid name.
		own := host == f.Name || strings.HasPrefix(host, f.Name+"."+f.Namespace)
		if !own && len(validation.IsDNS1123Subdomain(host)) == 0 && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	add(strings.TrimSuffix(f.Service.ExternalName, "."))
	if u, err := url.Parse(f.Service.Annotations["kubernaut.io/toolset-endpoint"]); err == nil {
		add(u.Hostname())
	}
	if len(hosts) == 0 {
		return nil
	}
	if !included {
		out = h.annotate(f, "If it is a backend, include it with its type and URL:", "kubernaut.io/toolset=true",
			"kubernaut.io/toolset-type="+cmp.Or(f.Type, "TYPE"), "kubernaut.io/toolset-endpoint=https://"+hosts[0])
	}
	return append(out, Advice{"If the agent may reach it, allow its host in the configuration:",
		fmt.Sprintf("security: {allowedEndpointHosts: [%s]}", strings.Join(hosts, ", "))})
}

// adviseDenied returns the advice for a backend that must not be probed or published, even with annotations.
func adviseDenied(f *backend.Finding) []Advice {
	const never = "It is never probed or published, even with annotations. "
	if f.Observation.Seen.Code == backend.CodeSlicesUnchecked { // which are too many
		return []Advice{{never + "Look at the EndpointSlices of the namespace, " +
			"and remove those that are not needed:",
			fmt.Sprintf("kubectl -n %s get endpointslices", f.Namespace)}}
	}
	return []Advice{{never + "See who wrote the address:", slicesOf(f) + " -o yaml"}, allowNetwork}
}

var allowNetwork = Advice{
	"If the address may be used, leave its network out of security.denyCIDRs in the configuration.", "",
}
