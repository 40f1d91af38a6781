package controller

import (
	"time"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// Agent is the running HolmesGPT; agent.Agent is the one.
type Agent interface {
	// Service takes in a Service as it is now, nil where it is gone.
	Service(ref backend.Ref, s *backend.Service, e *backend.Endpoints)
	// Published takes in which document is in force.
	Published(document agent.Document, leading bool)
}

// tellService hands a Service on that may be HolmesGPT's own.
func (c *Controller) tellService(change store.Change) {
	if c.opts.Agent != nil {
		c.opts.Agent.Service(change.Ref, change.Service, change.Endpoints)
	}
}

// tellPublished hands on what is published, once it is.
func (c *Controller) tellPublished(s *Snapshot) {
	if c.opts.Agent == nil || c.opts.DryRun {
		return
	}
	switch {
	case !s.Leading:
		c.opts.Agent.Published(agent.Document{}, false)
	case s.InForce && s.Document != nil:
		toolsets, generation := s.Document.Entries()
		document := agent.Document{Generation: generation, Toolsets: toolsets}
		if s.Write != nil && s.Write.Waited > 0 {
			document.Changed = time.Now().Add(-s.Write.Waited)
		}
		c.opts.Agent.Published(document, true)
	}
}
