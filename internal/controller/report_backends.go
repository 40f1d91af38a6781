package controller

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/logging"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// reported is what was reported of a published backend.
type reported struct {
	endpoint string
	detected backend.Key // of its candidate; a relative that no longer answers is found by it
}

// reportBackends reports each backend that was added, withdrawn or changed since the last cycle.
func (r *Report) reportBackends(s *Snapshot) {
	published := map[backend.Key]bool{}
	found := map[backend.Key]*backend.Finding{}
	detected := map[backend.Key]*backend.Finding{} // by the types that detection chose
	for _, f := range s.Findings {
		key := backend.Key{Ref: f.Ref, Type: f.Type}
		if f.Candidate != nil {
			key = f.Candidate.Key()
			detected[f.Candidate.DetectedKey()] = f
		}
		found[key] = f
		if f.Verdict != backend.Accepted {
			continue
		}
		published[key] = true
		now := reported{f.Endpoint(), f.Candidate.DetectedKey()}
		switch old, known := r.backends.Last(key); {
		case !known:
			r.Metrics.Discovered(f.Type)
			r.Log.Info("backend added", attributes(key, "endpoint", f.Endpoint(), "version", f.Observation.Version)...)
			r.backend(ChangeAdded, key, "at "+f.Endpoint())
		case old.endpoint != now.endpoint:
			r.Log.Info("backend changed", attributes(key, "endpoint", now.endpoint, "was", old.endpoint)...)
			r.backend(ChangeChanged, key, fmt.Sprintf("now at %s, was at %s", now.endpoint, old.endpoint))
		}
		r.backends.Reported(key, now)
	}
	over := r.backends.Over(func(key backend.Key) bool { return published[key] })
	for i := range s.Inherited { // backends that were deleted while no process ran
		if key := s.Inherited[i].Key(); !published[key] {
			over[key] = cmp.Or(over[key], reported{"not known", s.Inherited[i].DetectedKey()})
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(over), backend.Key.Compare) {
		was := over[key]
		reason := view.Withdrawn(cmp.Or(found[key], detected[was.detected], found[backend.Key{Ref: key.Ref}]))
		r.Metrics.Withdrawn(key.Type)
		r.Log.Info("backend withdrawn", attributes(key, "endpoint", was.endpoint, "reason", reason)...)
		r.backend(ChangeWithdrawn, key, reason)
		r.withdrawn.add(key, reason)
	}
	r.recordWithdrawn(s.Leading)
}

// backend adds a change of one backend to the history.
func (r *Report) backend(kind ChangeKind, key backend.Key, message string) {
	r.History.Add(Change{Kind: kind, Ref: key.Ref, Type: key.Type, Message: message})
}

func attributes(key backend.Key, more ...any) []any {
	list := []any{"namespace", key.Namespace, "service", key.Name, "type", key.Type}
	if key.Tenant != "" {
		list = append(list, "tenant", key.Tenant)
	}
	return append(list, more...)
}

// reportReach reports when no probed backend can be reached, and when that is over. The likely cause is the network, or
// the place where this process runs.
func (r *Report) reportReach(s *Snapshot) {
	var unreached []*backend.Finding
	waiting := false
	for _, f := range s.Findings {
		if f.Candidate == nil {
			continue
		}
		switch f.Observation.Outcome {
		case backend.Unreachable:
			unreached = append(unreached, f)
		case backend.Unprobed:
			waiting = waiting || !f.Candidate.Unproven
		case backend.NoEndpoints: // not probed
		default:
			if r.cutOff.Changed(false) {
				r.Log.Info("backends reachable again")
			}
			return
		}
	}
	if waiting || len(unreached) == 0 || !r.cutOff.Changed(true) {
		return
	}
	first := unreached[0]
	r.Log.Warn("no backend reachable", attributes(first.Candidate.Key(), "backends", len(unreached),
		"err", view.Observed(first),
		"advice", "check the NetworkPolicies, and that "+
			"the cluster's addresses can be reached from where this process runs")...)
}

// reportWarnings reports each new warning about the document.
func (r *Report) reportWarnings(s *Snapshot) {
	if !s.Leading || s.Document == nil {
		return
	}
	for i := range s.Document.Warnings {
		w := &s.Document.Warnings[i]
		if !r.warnings.Is(*w, true) {
			r.Log.Warn("ConfigMap warning", "code", w.Code, "warning", view.DocumentWarning(w))
			r.warnings.Reported(*w, true)
		}
	}
	r.warnings.Over(func(w toolset.Warning) bool { return slices.Contains(s.Document.Warnings, w) })
}

// reportMisnamed reports once each configured primary that cannot be one, and when that is over. The reports have a
// budget, because the owner of the Service decides how often it comes and goes.
func (r *Report) reportMisnamed(s *Snapshot) {
	if !s.Discovered || s.Source != nil { // not known yet
		return
	}
	now := map[backend.Key]bool{}
	for _, m := range s.Misnamed {
		key := backend.Key{Ref: m.Ref, Type: m.Type}
		now[key] = true
		text := view.MisnamedLine(m.Type, m.Ref, m.Finding)
		if !r.misnamed.Is(key, text) && s.Leading && r.mayReport("PrimaryMissing", m.Namespace) {
			r.misnamed.Reported(key, text)
			r.Log.Warn("configured primary missing",
				"type", m.Type, "service", m.Ref.String(), "reason", view.Misnamed(m.Type, m.Finding))
			r.Events.ConfigMap(true, "PrimaryMissing", text)
		}
	}
	over := r.misnamed.Over(func(k backend.Key) bool { return now[k] || slices.Contains(s.Frozen, k.Namespace) })
	for _, key := range slices.SortedFunc(maps.Keys(over), backend.Key.Compare) {
		r.Log.Info("configured primary found", "type", key.Type)
		r.Events.ConfigMap(false, "PrimaryFound", "the primary "+key.Type+" that the configuration names is there")
	}
}

// limited is a namespace with backends that are left out, and the limit that causes it.
type limited struct {
	namespace string
	limit     backend.Limit
}

func (l limited) compare(o limited) int {
	return cmp.Or(strings.Compare(l.namespace, o.namespace), strings.Compare(string(l.limit), string(o.limit)))
}

// reportLimits reports once each namespace with working backends that are left out, and when that is over.
func (r *Report) reportLimits(s *Snapshot) {
	count := map[limited]int{}
	example := map[limited]*backend.Finding{}
	for _, f := range s.Findings {
		if limit := f.Reason.Code.Limit(); limit != "" {
			l := limited{f.Namespace, limit}
			count[l]++
			example[l] = f
		}
	}
	if !s.Leading {
		r.limited = logging.Conditions[limited, bool]{}
		return
	}
	for _, l := range slices.SortedFunc(maps.Keys(count), limited.compare) {
		if !r.limited.Is(l, true) && r.mayReport("BackendsLeftOut", l.namespace) {
			r.limited.Reported(l, true)
			r.Log.Warn("backends left out", "namespace", l.namespace, "limit", string(l.limit), "backends", count[l])
			r.Events.ConfigMap(true, "BackendsLeftOut",
				fmt.Sprintf("not all backends of namespace %s are published: %s", l.namespace, view.Reason(example[l])))
		}
	}
	for l := range r.limited.Over(func(l limited) bool {
		return count[l] > 0 || slices.Contains(s.Frozen, l.namespace)
	}) {
		r.Log.Info("backends no longer left out", "namespace", l.namespace, "limit", string(l.limit))
	}
}

// Reports about the Services of a namespace have a budget, because their owners decide how many there are. The others
// are reported at a later discovery.
const (
	ownerBurst = 6                // at once
	ownerWait  = 30 * time.Second // until there is one more
)

// mayReport reports whether the namespace has one more Event of the reason. Each reason has its own budget, so that an
// owner who causes one Event all the time does not suppress the others.
func (r *Report) mayReport(reason, namespace string) bool {
	r.owners.burst, r.owners.wait = ownerBurst, ownerWait
	return r.owners.take(reason+" "+namespace, time.Now())
}
