package inventory

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// metrics is the toolset whose instances HolmesGPT 0.45 sends its own ServiceAccount's token on OpenShift, unless
// they name an Authorization.
const metrics = "prometheus/metrics"

// getsToken reports whether HolmesGPT sends its own token to an instance, and may: it belongs to OpenShift's
// monitoring, or its namespace is trusted. The token of this cluster is for nothing outside it.
func (o *Options) getsToken(f *backend.Finding) bool {
	return o.onOpenShift && f.Service.Type != backend.TypeOutside && slices.Contains(toolsets(o.Type(f.Type)), metrics) &&
		(f.Namespace == "openshift-monitoring" || o.Trusts(f.Namespace))
}

// tokenHelps reports whether HolmesGPT's own token is the credential that an instance wants.
func (o *Options) tokenHelps(f *backend.Finding) bool {
	kind := f.Observation.Wants
	return (kind == "" || kind == backend.KindBearer) && o.getsToken(f)
}

// keepToken marks the instances that must not get the agent's own token, whoever owns them.
func keepToken(all []*backend.Finding, o Options) {
	for _, f := range all {
		if f.Candidate == nil { // its finding is shared with earlier cycles
			continue
		}
		f.KeepToken = o.onOpenShift && f.Verdict == backend.Accepted && !o.getsToken(f) &&
			slices.Contains(toolsets(o.Type(f.Type)), metrics)
	}
}

// OpenShiftNamespaces reports whether there are Services of OpenShift's own namespaces, which nobody else may make:
// that is how OpenShift is told where no cluster can be asked.
func OpenShiftNamespaces(all []*backend.Finding) bool {
	return slices.ContainsFunc(all, func(f *backend.Finding) bool { return strings.HasPrefix(f.Namespace, "openshift-") })
}
