package controller

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// recall reads state.json: what an earlier process, or the replica that leads, has published. What works according to
// it counts as working here too, so that neither a restart nor a change of leaders withdraws anything. A leader that
// has written it knows more than it says.
func (c *Controller) recall(live *corev1.ConfigMap) {
	m := &c.memory
	if m.began.IsZero() {
		m.began = time.Now()
		m.lost = live != nil && live.Data[toolset.KeyHolmesGPT] != ""
	}
	if m.own || live == nil || live.Data[toolset.KeyState] == m.state || live.Data[toolset.KeyState] == "" {
		return
	}
	m.state = live.Data[toolset.KeyState]
	state, err := publish.DecodeState(m.state)
	if err != nil {
		c.opts.Report.Forgotten(err)
		return
	}
	m.lost = false
	records := map[backend.Key]health.Record{}
	for _, i := range state.Published {
		if i.Outcome == backend.Unprobed {
			continue // its owner wants it published without a probe
		}
		records[keyOf(&i)] = record(i)
	}
	c.monitor.Remember(records)
	m.keys, m.published, m.primaries = state.Keys, state.Published, state.Primaries
	c.damper.recall(state.Published)
	m.overrides.recall(state.Overrides)
}

// state is what state.json holds.
func (c *Controller) state(findings []*backend.Finding) publish.State {
	m := &c.memory
	s := publish.State{Primaries: map[string]backend.Ref{}, Overrides: m.overrides.goodText}
	// One that opted out, or that is something else by now, is as good as deleted; of a frozen namespace nothing is
	// known.
	present, frozen := map[backend.Ref]bool{}, c.source.Frozen()
	for _, f := range findings {
		if f.Candidate != nil || slices.Contains(frozen, f.Namespace) {
			present[f.Ref] = true
		}
		if f.Verdict == backend.Accepted {
			s.Published = append(s.Published, instance(f))
		}
	}
	for typ, ref := range m.primaries {
		if !c.isOwn(typ) && m.keepsPlace(typ, present[ref]) {
			s.Primaries[typ] = ref
		}
	}
	c.keepOwn(s.Primaries, findings)
	for _, f := range findings {
		if (f.Primary || f.Yields) && !f.Provisional {
			s.Primaries[f.Type] = f.Ref
		}
	}
	if c.leading { // a follower goes by what the leader says, who may have seen more
		m.primaries = s.Primaries
	}
	return s
}

// placeKept is how long the place of a primary is kept for its name after its Service was deleted: a chart may
// install it again.
const placeKept = 24 * time.Hour

// keepsPlace reports whether the recorded primary of a type keeps its place, and with it its credentials: while its
// Service is there, whether it works or not, and for a day after it was deleted.
func (m *memory) keepsPlace(typ string, present bool) bool {
	since, gone := m.gone[typ]
	switch {
	case present:
		delete(m.gone, typ)
	case !gone:
		if m.gone == nil {
			m.gone = map[string]time.Time{}
		}
		m.gone[typ] = time.Now()
	case time.Since(since) >= placeKept:
		delete(m.gone, typ)
		return false
	}
	return true
}

func instance(f *backend.Finding) publish.Instance {
	c, o := f.Candidate, &f.Observation
	i := publish.Instance{
		Type: f.Type, Service: f.Ref, Name: c.Instance, Port: c.PortNumber, Scheme: c.Scheme, Path: c.Path,
		Outcome: o.Outcome, SkipVerify: o.SkipVerify, FoundHost: o.Host, FoundPort: o.Port, Wants: o.Wants,
		Host: c.Host, HealthPath: c.HealthPath, Description: c.Description,
		Detected: c.Detected, Tenant: c.Tenant, TenantHeader: c.TenantHeader, Link: f.Link,
	}
	if o.Scheme != "" {
		i.Scheme, i.Path = o.Scheme, o.Path
	}
	return i
}

// keyOf is the candidate's that a published instance was.
func keyOf(i *publish.Instance) backend.Key {
	return backend.Key{Ref: i.Service, Type: cmp.Or(i.Detected, i.Type), Tenant: i.Tenant}
}

// record is the health record of a published instance.
func record(i publish.Instance) health.Record {
	r := health.Record{Port: i.Port, Observation: backend.Observation{
		Outcome: i.Outcome, Scheme: i.Scheme, Path: i.Path, Version: i.Version, SkipVerify: i.SkipVerify,
		Host: i.FoundHost, Port: i.FoundPort, Wants: i.Wants,
		Identity: true, Seen: backend.Seen{Code: backend.CodeRemembered},
	}}
	if i.Detected != "" {
		r.Observation.Type = i.Type
	}
	return r
}
