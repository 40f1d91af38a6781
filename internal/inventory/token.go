package inventory

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// metrics is the toolset whose instances HolmesGPT 0.45 sends its own ServiceAccount's token on OpenShift, unless they name
// an Authorization.
const metrics = "prometheus/metrics"

// keepToken marks the instances that must not get the agent's own token (DTS-OUT-14): those outside OpenShift's own
// monitoring and the trusted namespaces, whoever owns them.
func keepToken(all []*backend.Finding, o Options) {
	if o.OpenShift == nil || !o.OpenShift(all) {
		return
	}
	for _, f := range all {
		f.KeepToken = f.Verdict == backend.Accepted && f.Namespace != "openshift-monitoring" && !o.trusts(f.Ref) &&
			slices.Contains(toolsets(o.Type(f.Type)), metrics)
	}
}

// OpenShiftNamespaces reports whether there are Services of OpenShift's own namespaces, which nobody else may make: that is
// how OpenShift is told where no cluster can be asked.
func OpenShiftNamespaces(all []*backend.Finding) bool {
	return slices.ContainsFunc(all, func(f *backend.Finding) bool { return strings.HasPrefix(f.Namespace, "openshift-") })
}
