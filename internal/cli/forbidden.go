package cli

import (
	"fmt"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/bridge"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// forbidden says which candidates the API server did not let the user ask, "" if none. It is an error where that are
// all that could be asked: what would be shown is not the truth about the cluster but about the user's rights.
func (d *discovered) forbidden() (warning string, err error) {
	asked, refused := 0, 0
	var namespaces []string
	for _, f := range d.findings {
		if f.Candidate == nil || f.Candidate.ForeignHost { // the proxy leads to no foreign host
			continue
		}
		if f.Observation.Cause == backend.CauseDenied { // not asked either
			continue
		}
		switch f.Observation.Outcome {
		case "", backend.Unprobed, backend.NoEndpoints:
			continue
		}
		asked++
		if f.Observation.Cause == backend.CauseForbidden {
			refused++
			namespaces = append(namespaces, f.Namespace)
		}
	}
	if refused == 0 {
		return "", nil
	}
	slices.Sort(namespaces)
	namespaces = slices.Compact(namespaces)
	right, check := view.NeedsProxy(namespaces)
	option, check, instead := "--probe=proxy: ", "check with: "+check, ", or ask nothing with --probe=off"
	if d.bridging != nil {
		right, check = bridge.Rights(namespaces, d.bridging.forwardOnly)
		option, check, instead = "", "a role for one: "+check, ""
	}
	if refused < asked {
		return fmt.Sprintf("%d of %d possible backends could not be asked: your user needs %s; %s", refused, asked, right, check), nil
	}
	return "", fmt.Errorf("%sthe API server lets your user ask none of the possible backends (403): it needs %s%s; %s",
		option, right, instead, check)
}
