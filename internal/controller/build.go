package controller

import (
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// errNotLeading ends a write that another replica has taken over.
var errNotLeading = errors.New("this replica does not lead any more")

// errBehind ends a write that would bring back what the admin may have changed meanwhile.
var errBehind = errors.New("the watch has not shown yet that the ConfigMap was deleted")

// build is what the ConfigMap should hold, from the findings and from what it holds now: its overrides. It is asked again
// after each conflict.
func (c *Controller) build(s *Snapshot, live *corev1.ConfigMap) (publish.Desired, error) {
	if !c.opts.DryRun && c.leading && !c.leader.Leading() {
		return publish.Desired{}, errNotLeading
	}
	if c.behind(live) {
		return publish.Desired{}, errBehind
	}
	o := &c.memory.overrides
	o.observe(live, c.output.Gone())
	doc, keys, err := c.fit(s, live)
	if err != nil {
		return publish.Desired{}, err
	}
	s.Document, s.Keys = doc, keys
	d := publish.Desired{Keys: keys, Restore: o.restore(live)}
	d.Hold = c.hold(live, d)
	return d, nil
}

// fit builds what is to be published. Where that would be too large, backends of the largest namespaces are left out, so that
// all others are written as ever. Where what is not generated takes the room by itself, nothing is left out: it stays too
// large, and what was published last stays.
func (c *Controller) fit(s *Snapshot, live *corev1.ConfigMap) (*toolset.Document, map[string]string, error) {
	room := publish.MaxBytes - publish.Foreign(live)
	doc, keys, err := c.generate(s)
	if err != nil || size(keys) <= room {
		return doc, keys, err
	}
	before := make([]backend.Finding, len(s.Findings))
	for i, f := range s.Findings {
		before[i] = *f
	}
	for size(keys) > room {
		sizes, sum := doc.Sizes(), 1
		for _, n := range sizes {
			sum += n
		}
		of := func(f *backend.Finding) int { return sizes[f.Candidate.Key()] * size(keys) / sum }
		// A little more than is needed, so that leaving out once is enough.
		if !inventory.LeaveOut(s.Findings, size(keys)-room+room/50, of, c.opts.Inventory) {
			for i := range before {
				*s.Findings[i] = before[i]
			}
			return c.generate(s)
		}
		if doc, keys, err = c.generate(s); err != nil {
			return nil, nil, err
		}
	}
	inventory.Sort(s.Findings, c.opts.Catalog.Lookup)
	return doc, keys, nil
}

// size is what keys take in a ConfigMap, in bytes.
func size(keys map[string]string) (n int) {
	for k, text := range keys {
		n += len(k) + len(text)
	}
	return n
}

// generate builds the document and the keys.
func (c *Controller) generate(s *Snapshot) (*toolset.Document, map[string]string, error) {
	doc, err := c.memory.overrides.build(s.Findings, c.opts.Toolset, s.Discovered)
	if err != nil {
		return nil, nil, err
	}
	keys, err := doc.Keys()
	if err != nil {
		return nil, nil, err
	}
	state := c.state(s.Findings)
	if keys[toolset.KeyState], err = state.Encode(); err != nil {
		return nil, nil, err
	}
	return doc, keys, nil
}

// hold are the keys that somebody else keeps changing: they wait for the next resync. What is new from us does not wait.
func (c *Controller) hold(live *corev1.ConfigMap, d publish.Desired) []string {
	if c.resync || live == nil {
		return nil
	}
	return c.memory.repairs.Hold(c.output.Drifted(live, d), time.Now())
}

// state is what must outlive this process.
func (c *Controller) state(findings []*backend.Finding) publish.State {
	m := &c.memory
	s := publish.State{Primaries: map[string]backend.Ref{}, Overrides: m.overrides.goodText}
	// One that opted out, or that is something else by now, is as good as deleted; of a frozen namespace nothing is known.
	present, frozen := map[backend.Ref]bool{}, c.source.Frozen()
	for _, f := range findings {
		present[f.Ref] = present[f.Ref] || f.Candidate != nil || slices.Contains(frozen, f.Namespace)
		if f.Verdict == backend.Accepted {
			s.Published = append(s.Published, instance(f))
		}
	}
	for typ, ref := range m.primaries {
		if m.keepsPlace(typ, present[ref]) {
			s.Primaries[typ] = ref
		}
	}
	for _, f := range findings {
		if f.Primary && !f.Provisional {
			s.Primaries[f.Type] = f.Ref
		}
	}
	if c.leading { // a follower goes by what the leader says, who may have seen more
		m.primaries = s.Primaries
	}
	return s
}

// placeKept is how long the place of a primary is kept for its name after its Service was deleted: a chart may install it
// again.
const placeKept = 24 * time.Hour

// keepsPlace reports whether the recorded primary of a type keeps its place, and with it its credentials: while its Service
// is there, whether it works or not, and for a day after it was deleted.
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
		Detected: c.Detected, Tenant: c.Tenant, TenantHeader: c.TenantHeader,
	}
	if o.Scheme != "" {
		i.Scheme, i.Path = o.Scheme, o.Path
	}
	return i
}
