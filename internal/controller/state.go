package controller

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// recall reads state.json, which an earlier process or the leader has written. Its backends count as working here too,
// so that neither a restart nor a change of leaders withdraws any. A leader that has written it does not read it again.
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
	c.remember(state.Published)
	m.keys, m.published, m.primaries, m.standIns = state.Keys, state.Published, state.Primaries, state.StandIns
	c.damper.recall(state.Published)
	m.overrides.recall(state.Overrides)
}

// remember makes published instances count as working until they are probed.
func (c *Controller) remember(list []publish.Instance) {
	records := map[backend.Key]health.Record{}
	for _, i := range list {
		if i.Outcome == backend.Unprobed {
			continue // it is published without a probe, so there is no health to remember
		}
		records[i.DetectedKey()] = record(i)
	}
	c.monitor.Remember(records)
}

// state returns the content of state.json.
func (c *Controller) state(findings []*backend.Finding) publish.State {
	m := &c.memory
	s := publish.State{Primaries: map[string]backend.Ref{}, Overrides: m.overrides.goodText}
	for _, f := range findings {
		if f.Verdict == backend.Accepted {
			s.Published = append(s.Published, instance(f))
		}
	}
	present := c.present(findings)
	for typ, ref := range m.primaries {
		if !c.isOwn(typ) && m.keepsPlace(typ, present[typ]) {
			s.Primaries[typ] = ref
		}
	}
	c.keepOwn(s.Primaries, findings)
	for _, f := range findings {
		if (f.Primary || f.Yields) && !f.Provisional {
			s.Primaries[f.Type] = f.Ref
		}
	}
	s.StandIns = c.lastingStandIns(s.Primaries)
	if c.leading { // a follower keeps the leader's record, because the leader may know more
		m.primaries = s.Primaries
	}
	return s
}

// placeKept is how long the place of a primary is kept after its Service was deleted or became something else, because
// a chart may install it again.
const placeKept = 24 * time.Hour

// keepsPlace reports whether the recorded primary of a type keeps its place and with it its credentials: while its
// Service is present, whether it works or not, and for placeKept after that.
func (m *memory) keepsPlace(typ string, present bool) bool {
	since, gone := m.gone[typ]
	keeps := present || !gone || time.Since(since) < placeKept
	switch {
	case present, !keeps:
		delete(m.gone, typ)
	case !gone:
		m.gone[typ] = time.Now()
	}
	return keeps
}

func instance(f *backend.Finding) publish.Instance {
	c, o := f.Candidate, &f.Observation
	i := publish.Instance{
		Type: f.Type, Service: f.Ref, Name: c.Instance, Port: c.PortNumber, Scheme: c.Scheme, Path: c.Path,
		Outcome: o.Outcome, SkipVerify: o.SkipVerify, FoundHost: o.Host, FoundPort: o.Port, Wants: o.Wants,
		Host: c.Host, HealthPath: c.HealthPath, Description: c.Description,
		Detected: c.Detected, Tenant: c.Tenant, TenantHeader: c.TenantHeader, Link: f.Link,
		NoData: o.NoData,
	}
	if o.Scheme != "" {
		i.Scheme, i.Path = o.Scheme, o.Path
	}
	return i
}

// record returns the health record of a published instance.
func record(i publish.Instance) health.Record {
	r := health.Record{Port: i.Port, Observation: backend.Observation{
		Outcome: i.Outcome, Scheme: i.Scheme, Path: i.Path, Version: i.Version, SkipVerify: i.SkipVerify,
		Host: i.FoundHost, Port: i.FoundPort, Wants: i.Wants, NoData: i.NoData,
		Identity: true, Seen: backend.Seen{Code: backend.CodeRemembered},
	}}
	if i.Detected != "" {
		r.Observation.Type = i.Type
	}
	return r
}
