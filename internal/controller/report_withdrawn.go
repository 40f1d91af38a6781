package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// withdrawals holds the Services whose backends are no longer published, by namespace.
type withdrawals map[string]*withdrawn

// withdrawn holds the names of one namespace's Services by reason.
type withdrawn struct {
	names map[string][]string
	bytes int // of the names
	left  int // withdrawals without a name
}

// maxWithdrawn is the most bytes of names in an Event. The API allows 1 KiB in all, and the reasons at the end are cut.
const maxWithdrawn = 600

func (w *withdrawals) add(key backend.Key, reason string) {
	if *w == nil {
		*w = withdrawals{}
	}
	of := (*w)[key.Namespace]
	if of == nil {
		of = &withdrawn{names: map[string][]string{}}
		(*w)[key.Namespace] = of
	}
	switch {
	case slices.Contains(of.names[reason], key.Name): // a Service that comes and goes is named once
	case of.bytes+len(key.Name) > maxWithdrawn: // owners decide how many there are
		of.left++
	default:
		of.names[reason] = append(of.names[reason], key.Name)
		of.bytes += len(key.Name) + len(", ")
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
		if r.mayReport("BackendsWithdrawn", namespace) {
			r.Events.ConfigMap(false, "BackendsWithdrawn",
				"no longer published of namespace "+namespace+": "+r.withdrawn[namespace].text())
			delete(r.withdrawn, namespace)
		}
	}
}

// text names the withdrawn Services, and then the reasons.
func (w *withdrawn) text() string {
	var names, whys []string
	for _, reason := range slices.Sorted(maps.Keys(w.names)) {
		list := w.names[reason]
		names = append(names, list...)
		if len(w.names) > 1 {
			reason = list[0] + more(len(list)-1) + ": " + reason
		}
		whys = append(whys, reason)
	}
	return strings.Join(names, ", ") + more(w.left) + ": " + strings.Join(whys, "; ")
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
