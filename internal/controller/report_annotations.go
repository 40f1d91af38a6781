package controller

import (
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/logging"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// complaint is what was reported to an owner, with the Service's UID, because a Service that is created again is
// another one.
type complaint struct{ uid, reason string }

// BadAnnotation is called for a Service whose owner should correct an annotation, each time it is detected. typ is the
// type that the annotation names, "" if none. Complaints that change too often are reported at a later discovery.
func (r *Report) BadAnnotation(s *backend.Service, typ, reason string) (reported bool) {
	if now := (complaint{s.UID, reason}); !r.bad.Is(s.Ref, now) {
		if !r.mayReport("BadAnnotation", s.Namespace) {
			return false
		}
		r.bad.Reported(s.Ref, now)
		r.Metrics.BadAnnotation(typ)
		r.backend(ChangeAnnotationInvalid, backend.Key{Ref: s.Ref, Type: typ}, reason)
	}
	r.Events.Service(s, true, "BadAnnotation", reason)
	return true
}

// GoodAnnotation is called when the annotation is corrected or removed.
func (r *Report) GoodAnnotation(s *backend.Service) {
	if r.bad.Drop(s.Ref) {
		r.backend(ChangeAnnotationValid, backend.Key{Ref: s.Ref}, "its wrong annotations are corrected or removed")
	}
	r.Events.Clear(s)
}

// reportClashes reports to owners that an annotation conflicts with another Service, and when that is over. A new
// leader reports all of them.
func (r *Report) reportClashes(s *Snapshot, led bool) {
	if led {
		r.clashes = logging.Conditions[backend.Ref, complaint]{}
	}
	now := map[backend.Ref]bool{}
	for _, f := range s.Findings {
		if f.Reason.Code != backend.CodeNameTaken || now[f.Ref] {
			continue
		}
		now[f.Ref] = true
		c := complaint{f.Service.UID, view.Reason(f)}
		if !r.clashes.Is(f.Ref, c) && r.BadAnnotation(f.Service, f.Type, c.reason) {
			r.clashes.Reported(f.Ref, c)
		}
	}
	for ref, c := range r.clashes.Over(func(ref backend.Ref) bool {
		return now[ref] || slices.Contains(s.Frozen, ref.Namespace)
	}) {
		r.GoodAnnotation(&backend.Service{Ref: ref, UID: c.uid})
	}
}
