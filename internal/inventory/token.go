package inventory

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// metrics is the toolset for whose instances HolmesGPT 0.45 sends its own ServiceAccount token on OpenShift, unless
// they set an Authorization header.
const metrics = "prometheus/metrics"

// getsToken reports whether HolmesGPT sends its own token to an instance and is allowed to: the instance belongs to
// OpenShift's monitoring, or its namespace is trusted. The token must not leave this cluster, nor TLS.
func (o *Options) getsToken(f *backend.Finding) bool {
	return o.onOpenShift && f.Service.Type != backend.TypeOutside && !f.LacksTLS() &&
		slices.Contains(toolsets(o.Type(f.Type)), metrics) &&
		(f.Namespace == "openshift-monitoring" || o.Trusts(f.Namespace))
}

// tokenHelps reports whether HolmesGPT's own token is the credential that an instance requires.
func (o *Options) tokenHelps(f *backend.Finding) bool {
	kind := f.Observation.Wants
	return (kind == "" || kind == backend.KindBearer) && o.getsToken(f)
}

// keepToken marks the instances that must not get the agent's own token, independent of their owner.
func keepToken(all []*backend.Finding, o Options) {
	for _, f := range all {
		if f.Candidate == nil { // the finding is shared with earlier cycles
			continue
		}
		f.KeepToken = o.onOpenShift && f.Verdict == backend.Accepted && !o.getsToken(f) &&
			slices.Contains(toolsets(o.Type(f.Type)), metrics)
	}
}

// OpenShiftNamespaces reports whether there are Services in OpenShift's own namespaces, which users cannot create.
// This detects OpenShift if there is no cluster to query.
func OpenShiftNamespaces(all []*backend.Finding) bool {
	return slices.ContainsFunc(all, func(f *backend.Finding) bool {
		return strings.HasPrefix(f.Namespace, "openshift-")
	})
}
