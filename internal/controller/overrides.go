package controller

import (
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// candidate is a text of the admin's that is not in force yet.
type candidate struct {
	*toolset.Overrides
	// found: this process found it, beside what another one had published. Nobody knows when it was written, so that no
	// Service gets a credential for being the only one now.
	found   bool
	decided bool // holders and err are; once, so that no text becomes good because a Service went
	holders toolset.Holders
	err     error
}

// decide says whom the credentials at the top of toolsets are for, as soon as all that is there had the time to answer.
func (c *Controller) decide(s *Snapshot) bool {
	m, types := &c.memory, c.opts.Toolset.Types
	k := m.candidate
	if k == nil || k.decided {
		return k != nil
	}
	known := k.Known(m.overrides, m.holders, !k.found, types)
	if !s.Discovered && k.Undecided(known, types) {
		return false
	}
	k.holders, k.err = k.Holders(s.Findings, types, known)
	k.decided = true
	return true
}

// document builds what is to be published. Overrides that read well but whose result HolmesGPT would not load are as
// invalid as others: the last good ones stay in force, whatever is found.
func (c *Controller) document(s *Snapshot) (*toolset.Document, error) {
	m, opts := &c.memory, c.opts.Toolset
	if c.decide(s) {
		k := m.candidate
		opts.Holders = k.holders
		doc, err := (*toolset.Document)(nil), k.err
		if err == nil {
			doc, err = toolset.Build(s.Findings, opts, k.Overrides)
		}
		if err == nil {
			c.useOverrides(m.overridesText, k.Overrides, k.holders)
			return doc, nil
		}
		c.refuseOverrides(err)
	}
	opts.Holders, opts.InForce = m.holders, true
	return toolset.Build(s.Findings, opts, m.overrides)
}

// keepOverrides takes in that the admin's text is empty, or the one that was good last.
func (c *Controller) keepOverrides(text string) {
	if m := &c.memory; text == "" {
		c.useOverrides("", nil, nil)
	} else {
		c.useOverrides(text, m.overrides, m.holders)
	}
}

// recallOverrides takes in what another process, or the replica that leads, has found good.
func (c *Controller) recallOverrides(state *publish.State) {
	m := &c.memory
	if state.Overrides == "" {
		return
	}
	if m.overrides == nil || state.Overrides == m.overridesText && state.Overrides != m.goodText {
		o, err := toolset.ParseOverrides(toolset.KeyOverrides, []byte(state.Overrides))
		if err != nil {
			return
		}
		if state.Overrides == m.overridesText {
			c.useOverrides(state.Overrides, o, nil)
		} else {
			m.overrides, m.goodText = o, state.Overrides
		}
	}
	if state.Overrides == m.goodText {
		m.holders = state.Holders
		if m.holders == nil { // an earlier release wrote it, for which each instance inherited them
			m.holders, _ = m.overrides.Holders(publishedAs(state), c.opts.Toolset.Types, nil) // several: nobody is
		}
	}
}

// publishedAs are the findings that were published, as far as they are remembered.
func publishedAs(state *publish.State) (list []*backend.Finding) {
	for i := range state.Published {
		p := &state.Published[i]
		list = append(list, &backend.Finding{
			Ref: p.Service, Type: p.Type, Verdict: backend.Accepted, Primary: state.Primaries[p.Type] == p.Service,
			Candidate: &backend.Candidate{
				Service: &backend.Service{Ref: p.Service}, Type: p.Type, Instance: p.Name, Host: p.Host, Scheme: p.Scheme,
				PortNumber: p.Port, Path: p.Path, Unproven: p.Outcome == backend.Unprobed,
			},
		})
	}
	return list
}
