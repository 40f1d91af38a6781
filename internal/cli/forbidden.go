package cli

import (
	"fmt"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/bridge"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// forbidden returns a warning if the API server did not allow the user to probe some candidates, "" otherwise. If it
// allowed no probe at all, that is an error: the output would show the user's rights, not the cluster.
func (d *discovered) forbidden() (warning string, err error) {
	asked, refused := 0, 0
	var namespaces []string
	for _, f := range d.findings {
		if f.Candidate == nil || f.Candidate.ForeignHost { // the proxy does not carry requests to foreign hosts
			continue
		}
		if f.Observation.Cause == backend.CauseDenied { // not probed
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
	option, check, instead := "--probe=proxy: ", "check with: "+check, ", or send no probes with --probe=off"
	if d.bridging != nil {
		right, check = bridge.Rights(namespaces, d.bridging.forwardOnly)
		option, check, instead = "", "a role for one: "+check, ""
	}
	if refused < asked {
		return fmt.Sprintf("%d of %d possible backends could not be probed: your user needs %s; %s",
			refused, asked, right, check), nil
	}
	return "", fmt.Errorf("%syour user may probe none of the possible backends through the API server (403): "+
		"it needs %s%s; %s",
		option, right, instead, check)
}
