package controller

import (
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// candidate is a text of the admin's that is not in force yet.
type candidate struct {
	*toolset.Overrides
	// found: this process found it, beside what another one had published. It may have been good for long, so that no
	// credential in it counts as new.
	found bool
}

// document builds what is to be published. Overrides that read well but whose result HolmesGPT would not load are as
// invalid as others: the last good ones stay in force, whatever is found.
func (c *Controller) document(s *Snapshot) (*toolset.Document, error) {
	m, opts := &c.memory, c.opts.Toolset
	if k := m.candidate; k != nil {
		var fresh []string
		if !k.found {
			fresh = k.Fresh(m.overrides, opts.Types)
		}
		if len(fresh) == 0 || s.Discovered { // all that is there had the time to answer
			doc, err := (*toolset.Document)(nil), k.Shared(s.Findings, opts.Types, fresh)
			if err == nil {
				doc, err = toolset.Build(s.Findings, opts, k.Overrides)
			}
			if err == nil {
				c.useOverrides(m.overridesText, k.Overrides)
				return doc, nil
			}
			c.refuseOverrides(err)
		}
	}
	opts.InForce = true
	return toolset.Build(s.Findings, opts, m.overrides)
}

// keepOverrides takes in that the admin's text is empty, or the one that was good last.
func (c *Controller) keepOverrides(text string) {
	if m := &c.memory; text == "" {
		c.useOverrides("", nil)
	} else {
		c.useOverrides(text, m.overrides)
	}
}

// recallOverrides takes in what another process, or the replica that leads, has found good.
func (c *Controller) recallOverrides(state *publish.State) {
	m := &c.memory
	if state.Overrides == "" {
		return
	}
	if m.overrides != nil && (state.Overrides != m.overridesText || state.Overrides == m.goodText) {
		return
	}
	o, err := toolset.ParseOverrides(toolset.KeyOverrides, []byte(state.Overrides))
	if err != nil {
		return
	}
	if state.Overrides == m.overridesText {
		c.useOverrides(state.Overrides, o)
	} else {
		m.overrides, m.goodText = o, state.Overrides
	}
}
