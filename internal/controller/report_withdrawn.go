package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// withdrawals are by namespace, and there by the reason, the names of the Services whose backends are no longer
// published.
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
	if !slices.Contains(reasons[reason], key.Name) { // one that comes and goes meanwhile is named once
		reasons[reason] = append(reasons[reason], key.Name)
	}
}

// recordWithdrawn records one Event for all that was withdrawn of a namespace: its owners decide how often that
// happens, so that it has a budget, and what is held back comes with the next one.
func (r *Report) recordWithdrawn(leading bool) {
	if !leading {
		r.withdrawn = nil // who leads records it
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

// maxWithdrawn is how many bytes of names an Event takes: the API takes 1 KiB in all, and the reasons are cut before
// them.
const maxWithdrawn = 600

// text names what was withdrawn of a namespace first, and then says why.
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
