package controller

import (
	"time"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Agent follows the running HolmesGPT. agent.Agent implements it.
type Agent interface {
	// Service is called with a Service that has changed, nil if it was deleted.
	Service(ref backend.Ref, s *backend.Service, e *backend.Endpoints)
	// Published is called with the document that is in force.
	Published(document agent.Document, leading bool)
}

// tellPublished passes the published document on to the Agent.
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
