package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// withdrawals holds the names of the Services whose backends are no longer published, by namespace and then by reason.
type withdrawals map[string]map[string][]string

func (w *withdrawals) add(key backend.Key, reason string) {
	if *w == nil {
		*w = withdrawals{}
	}
	reasons := (*w)[key.Namespace]
	if reasons == nil {
		reasons = map[string][]string{}
		(*w)[key.Namespace] = reasons
	}
	if !slices.Contains(reasons[reason], key.Name) { // a Service that comes and goes is named once
		reasons[reason] = append(reasons[reason], key.Name)
	}
}

// recordWithdrawn records one Event for all withdrawals of a namespace. The Events have a budget, because owners decide
// how often that happens. Withdrawals over the budget are in the next Event.
func (r *Report) recordWithdrawn(leading bool) {
	if !leading {
		r.withdrawn = nil // the leader records them
		return
	}
	for _, namespace := range slices.Sorted(maps.Keys(r.withdrawn)) {
		if r.mayReport(namespace) {
			r.Events.ConfigMap(false, "BackendsWithdrawn",
				"no longer published of namespace "+namespace+": "+r.withdrawn.text(namespace))
			delete(r.withdrawn, namespace)
		}
	}
}

// maxWithdrawn is the most bytes of names in an Event. The API allows 1 KiB in all, and the reasons at the end are cut.
const maxWithdrawn = 600

// text names the withdrawn Services of a namespace, and then the reasons.
func (w withdrawals) text(namespace string) string {
	var names, whys []string
	left, room := 0, maxWithdrawn
	for _, reason := range slices.Sorted(maps.Keys(w[namespace])) {
		var ofReason []string
		for _, name := range w[namespace][reason] {
			if room -= len(name) + len(", "); room < 0 {
				left++
				continue
			}
			ofReason = append(ofReason, name)
		}
		names = append(names, ofReason...)
		if len(w[namespace]) == 1 {
			whys = append(whys, reason)
		} else if len(ofReason) > 0 {
			whys = append(whys, ofReason[0]+more(len(ofReason)-1)+": "+reason)
		}
	}
	return strings.Join(names, ", ") + more(left) + ": " + strings.Join(whys, "; ")
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
