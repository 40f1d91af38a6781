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
	kept  int // names
	left  int // withdrawals without a name
}

// keptNames is how many names of a namespace are kept, because owners decide how many there are. An Event has room for
// fewer.
const keptNames = 100

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
	case of.kept == keptNames:
		of.left++
	default:
		of.names[reason] = append(of.names[reason], key.Name)
		of.kept++
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

// maxWithdrawn is the most bytes of names in an Event. The API allows 1 KiB in all, and the reasons at the end are cut.
const maxWithdrawn = 600

// text names the withdrawn Services, and then the reasons.
func (w *withdrawn) text() string {
	var names, whys []string
	left, room := w.left, maxWithdrawn
	for _, reason := range slices.Sorted(maps.Keys(w.names)) {
		var ofReason []string
		for _, name := range w.names[reason] {
			if room -= len(name) + len(", "); room < 0 {
				left++
				continue
			}
			ofReason = append(ofReason, name)
		}
		names = append(names, ofReason...)
		if len(w.names) == 1 {
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
