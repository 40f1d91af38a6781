package controller

import (
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
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
	c.readOverrides(live)
	doc, err := c.document(s.Findings)
	s.Overrides = c.memory.overridesErr
	if err != nil {
		return publish.Desired{}, err
	}
	keys, err := doc.Keys()
	if err != nil {
		return publish.Desired{}, err
	}
	state := c.state(s.Findings)
	if keys[toolset.KeyState], err = state.Encode(); err != nil {
		return publish.Desired{}, err
	}
	s.Document, s.Keys = doc, keys
	d := publish.Desired{Keys: keys}
	if c.memory.deleted(live) {
		d.Restore = c.memory.restorable()
	}
	d.Hold = c.hold(live, d)
	return d, nil
}

// document builds what is to be published. Overrides that read well but whose result HolmesGPT would not load are as
// invalid as others: the last good ones stay in force.
func (c *Controller) document(findings []*backend.Finding) (*toolset.Document, error) {
	m := &c.memory
	if m.candidate != nil {
		doc, err := toolset.Build(findings, c.opts.Toolset, m.candidate)
		if err == nil {
			c.useOverrides(m.overridesText, m.candidate)
			return doc, nil
		}
		c.refuseOverrides(err)
	}
	doc, err := toolset.Build(findings, c.opts.Toolset, m.overrides)
	switch {
	case err == nil && m.overridesText == m.goodText:
		c.useOverrides(m.goodText, m.overrides) // again, if they were not good for a while
	case err != nil && m.overrides != nil:
		// They were good for what was found then, and are not for what is found now. What is found must not suffer.
		if m.candidate == nil {
			c.refuseOverrides(err)
		}
		return toolset.Build(findings, c.opts.Toolset, nil)
	}
	return doc, err
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
	s := publish.State{Primaries: map[string]backend.Ref{}, Overrides: m.goodText}
	present := map[backend.Ref]bool{}
	for _, f := range findings {
		present[f.Ref] = true
		if f.Verdict == backend.Accepted {
			s.Published = append(s.Published, instance(f))
		}
	}
	// A primary that does not work now keeps its place, and its credentials, while its Service is there.
	for typ, ref := range m.primaries {
		if present[ref] {
			s.Primaries[typ] = ref
		}
	}
	for _, f := range findings {
		if f.Primary {
			s.Primaries[f.Type] = f.Ref
		}
	}
	if c.leading { // a follower goes by what the leader says, who may have seen more
		m.primaries = s.Primaries
	}
	return s
}

func instance(f *backend.Finding) publish.Instance {
	c, o := f.Candidate, &f.Observation
	i := publish.Instance{
		Type: f.Type, Service: f.Ref, Name: c.Instance, Port: c.PortNumber, Scheme: c.Scheme, Path: c.Path,
		Outcome: o.Outcome, Version: o.Version, SkipVerify: o.SkipVerify,
		Host: c.Host, HealthPath: c.HealthPath, Description: c.Description,
	}
	if o.Scheme != "" {
		i.Scheme, i.Path = o.Scheme, o.Path
	}
	return i
}
