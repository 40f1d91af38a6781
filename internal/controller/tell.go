package controller

import (
	"cmp"
	"fmt"
	"maps"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/history"
)

// tellBackends tells of each backend that was added, withdrawn or changed since the last cycle.
func (r *Report) tellBackends(s *Snapshot) {
	now := accepted(s.Findings)
	for _, f := range s.Findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		key := f.Candidate.Key()
		switch old, known := r.accepted[key]; {
		case !known:
			r.Metrics.Discovered(f.Type)
			r.Log.Info("backend added", attributes(key, "endpoint", f.Endpoint(), "version", f.Observation.Version)...)
			r.backend(history.Added, key, "at "+f.Endpoint())
		case old != f.Endpoint():
			r.Log.Info("backend changed", attributes(key, "endpoint", f.Endpoint(), "was", old)...)
			r.backend(history.Changed, key, fmt.Sprintf("now at %s, was at %s", f.Endpoint(), old))
		}
	}
	reasons := map[backend.Key]string{}
	for _, f := range s.Findings {
		key := backend.Key{Ref: f.Ref, Type: f.Type}
		if f.Candidate != nil {
			key = f.Candidate.Key()
		}
		reasons[key] = f.Reason
	}
	for key, endpoint := range r.accepted {
		if _, still := now[key]; !still {
			reason := cmp.Or(reasons[key], reasons[backend.Key{Ref: key.Ref}], "it is no longer there, or no longer looks like one")
			r.Log.Info("backend withdrawn", attributes(key, "endpoint", endpoint, "reason", reason)...)
			r.backend(history.Withdrawn, key, reason)
		}
	}
	r.accepted = now
}

func (r *Report) backend(kind history.Kind, key backend.Key, message string) {
	r.History.Add(history.Change{Kind: kind, Ref: key.Ref, Type: key.Type, Message: message})
}

func (r *Report) note(kind history.Kind, format string, args ...any) {
	r.History.Add(history.Change{Kind: kind, Message: fmt.Sprintf(format, args...)})
}

func attributes(key backend.Key, more ...any) []any {
	list := []any{"namespace", key.Namespace, "service", key.Name, "type", key.Type}
	if key.Tenant != "" {
		list = append(list, "tenant", key.Tenant)
	}
	return append(list, more...)
}

// accepted are the endpoints of what is accepted.
func accepted(findings []*backend.Finding) map[backend.Key]string {
	m := map[backend.Key]string{}
	for _, f := range findings {
		if f.Verdict == backend.Accepted {
			m[f.Candidate.Key()] = f.Endpoint()
		}
	}
	return m
}

// tellSource tells when what is watched cannot be read, and when they can again.
func (r *Report) tellSource(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == r.source {
		return
	}
	r.source = text
	if err == nil {
		r.Log.Info("everything can be read again")
		r.note(history.SourceRecovered, "everything can be read again")
		return
	}
	r.Log.Warn("not everything can be read as it is now: what was known stays", "err", err)
	r.note(history.SourceFailed, "what was known stays: %s", text)
}

// tellNames tells owners of annotations that only another Service makes wrong (DTS-ANN-1), and when that is over. A new leader
// tells them all.
func (r *Report) tellNames(s *Snapshot) {
	if r.leading != s.Leading {
		r.names = nil
	}
	now := map[backend.Ref]*backend.Finding{}
	for _, f := range s.Findings {
		if f.Annotation == "" || now[f.Ref] != nil {
			continue
		}
		now[f.Ref] = f
		if told := r.names[f.Ref]; told == nil || told.Reason != f.Reason || told.Service.UID != f.Service.UID {
			if r.BadAnnotation(f.Service, f.Type, f.Reason); r.bad[f.Ref] != (complaint{f.Service.UID, f.Reason}) {
				now[f.Ref] = r.names[f.Ref] // not recorded now: the next cycle tries again
			}
		}
	}
	maps.DeleteFunc(now, func(_ backend.Ref, f *backend.Finding) bool { return f == nil })
	for ref, f := range r.names {
		if now[ref] == nil {
			r.GoodAnnotation(f.Service)
		}
	}
	r.names = now
}
