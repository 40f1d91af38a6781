package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// cycle runs the whole path from a change to the ConfigMap. It returns how soon to run again; 0 means not before
// something changes.
func (c *Controller) cycle(ctx context.Context) (again time.Duration) {
	begin := time.Now()
	c.lead()

	// Detect: the Services that have changed become candidates.
	c.detect()

	// Probe: the candidates are probed in the background; a change of their health starts another cycle.
	c.probe()

	// Judge: the candidates and their observations become findings.
	s := c.newSnapshot()
	c.judge(s)
	s.Took.Detect = time.Since(begin)

	// Build: the findings and the overrides in the ConfigMap become the keys that it should hold.
	build := func(live *corev1.ConfigMap) (publish.Desired, error) {
		from := time.Now()
		defer func() { s.Took.Build += time.Since(from) }()
		return c.build(s, live)
	}

	// Publish: the keys are written. After a conflict they are built again from the new state of the ConfigMap.
	switch wait := c.early(s); {
	case c.opts.DryRun || !c.leading:
		c.waiting = time.Time{}
		_, s.Err = build(c.output.Live())
	case wait > 0:
		again = wait
		_, s.Err = build(c.output.Live())
	default:
		before, from := c.output.Live(), time.Now()
		result, err := c.output.Publish(ctx, build)
		s.Took.Publish = time.Since(from) - s.Took.Build
		again = c.published(ctx, s, before, &result, err)
	}

	// Conclude: what is in force now is recorded and reported.
	c.conclude(s)
	s.Took.Total = time.Since(begin)
	c.opts.Report.Cycle(s)
	c.tellPublished(s)
	c.store(s)
	if s.held > 0 {
		again = sooner(again, s.held)
	}
	if !s.Discovered { // a backend that hangs must not delay readiness
		again = sooner(again, firstRound-time.Since(c.memory.began))
	}
	return again
}

// probe passes the candidates to the monitor. One that another process has published counts as healthy until it is
// probed.
func (c *Controller) probe() {
	c.recall(c.output.Live())
	c.monitor.Set(c.targets())
}

// published records the result of a write, and returns how soon to try again if it failed.
func (c *Controller) published(
	ctx context.Context, s *Snapshot, before *corev1.ConfigMap, r *publish.Result, err error,
) (again time.Duration) {
	switch {
	case errors.Is(err, errNotLeading):
		return 0
	case errors.Is(err, errBehind) && time.Since(c.memory.behind) < behindReport:
		return c.memory.backoff() // or sooner, if the watch shows the deletion
	}
	w := &Write{Result: *r, Limited: c.memory.repaired(r)}
	if r.Written && !c.waiting.IsZero() {
		w.Waited = time.Since(c.waiting)
	}
	if ctx.Err() == nil {
		s.Write = w
	}
	c.resync = false
	if s.Err = err; err != nil {
		return c.memory.backoff()
	}
	if live := r.Live; live != nil && live.Immutable != nil && *live.Immutable {
		// The content is right, but the next change cannot be written.
		s.Err = fmt.Errorf("ConfigMap %s/%s: %w", live.Namespace, live.Name, publish.ErrImmutable)
	}
	if r.Restored {
		c.memory.overrides.observe(r.Live, nil) // so that a removal by the admin counts from now on
	}
	c.memory.failures, c.memory.behind, c.memory.own, c.memory.keys = 0, time.Time{}, true, s.Own
	if documentHeld(s.Keys, r.Held) {
		return 0 // it is written at the next resync
	}
	s.References = c.memory.moveReferences(before, s.Document, r.Written)
	c.waiting = time.Time{}
	s.InForce = true
	return 0
}

// documentHeld reports whether the document was left as another writer has changed it. Without HolmesGPT's document,
// all keys together are the document.
func documentHeld(keys map[string]string, held []string) bool {
	_, generated := keys[toolset.KeyHolmesGPT]
	return slices.ContainsFunc(held, func(name string) bool {
		_, isKey := keys[name]
		return isKey && (!generated || name == toolset.KeyHolmesGPT)
	})
}

// conclude completes the snapshot, and records what is in force.
func (c *Controller) conclude(s *Snapshot) {
	c.noteOutput(s.Own)
	s.Overrides = c.memory.overrides.err
	switch {
	case c.opts.DryRun:
		s.InForce = s.Err == nil
	case !c.leading:
		s.InForce = maps.Equal(s.Keys, c.written.Keys)
	}
	if s.InForce {
		c.damper.enter(time.Now(), s.Findings)
		c.source.Keep(c.damper.holds())
	}
}

// sooner returns the shorter wait. An a of 0 means that there is no wait yet.
func sooner(a, b time.Duration) time.Duration {
	if b = max(b, time.Millisecond); a == 0 || b < a {
		return b
	}
	return a
}

// maxBare limits the findings about Services of a namespace that are not read (backend.MaxServices). Each takes a
// kilobyte or two.
const maxBare = 1000

// detect runs detection for the Services that have changed.
func (c *Controller) detect() {
	c.freeze()
	for _, change := range c.source.Take() {
		c.thawed(change.Namespace)
		if c.opts.Agent != nil { // it may be the Service of HolmesGPT
			c.opts.Agent.Service(change.Ref, change.Service, change.Endpoints)
		}
		before, known := c.detections[change.Ref]
		if known && before.Service.Bared > 0 {
			c.bare[change.Namespace]--
		}
		if change.Service != nil && change.Service.Bared > 0 {
			if c.bare[change.Namespace] >= maxBare {
				change.Service = nil
			} else {
				c.bare[change.Namespace]++
			}
		}
		c.stale = c.stale || known || change.Service != nil
		now := ""
		if change.Service == nil {
			delete(c.detections, change.Ref)
		} else {
			d := inventory.Detection{
				Service: change.Service, Endpoints: change.Endpoints, Exposures: change.Exposures,
				Result: c.opts.Detector.Detect(change.Service, change.Endpoints),
			}
			c.detections[change.Ref], now = d, complaintOf(&d)
		}
		if earlier := complaintOf(&before); earlier != "" && earlier != now {
			c.opts.Report.GoodAnnotation(before.Service)
		}
		if now != "" {
			c.opts.Report.BadAnnotation(change.Service, c.detections[change.Ref].Type, now)
		}
	}
}

// complaintOf describes what a Service's owner should correct, "" if nothing.
func complaintOf(d *inventory.Detection) string { return view.Complaint(d.Service, d.Complaints()) }

// known returns the detections of all Services within the limits, with a candidate for each tenant. Services of frozen
// namespaces are left out: see addFrozen.
func (c *Controller) known() []inventory.Detection {
	if !c.stale {
		return c.lookedAt
	}
	c.stale = false
	all := make([]inventory.Detection, 0, len(c.detections))
	for _, ref := range slices.SortedFunc(maps.Keys(c.detections), backend.Ref.Compare) {
		if !slices.Contains(c.frozen, ref.Namespace) {
			all = append(all, c.detections[ref])
		}
	}
	all, c.tenants = inventory.PerTenant(inventory.Bound(all, c.opts.Inventory), c.tenants)
	inventory.Reuse(all, c.lookedAt)
	c.lookedAt = slices.Clip(all)
	return c.lookedAt
}

// targets returns the candidates that the monitor probes.
func (c *Controller) targets() []probe.Target {
	var list []probe.Target
	for _, d := range c.known() {
		for _, candidate := range d.Candidates {
			list = append(list, probe.Target{
				Candidate: candidate, Type: c.opts.Catalog.Lookup(candidate.Type), Endpoints: d.Endpoints,
			})
		}
	}
	return list
}

// judge decides about all candidates.
func (c *Controller) judge(s *Snapshot) {
	o := c.opts.Inventory
	o.Recorded, o.StandIns, o.Taken = c.memory.primaries, c.frozenStandIns(), c.memory.overrides.named
	o.FirstRoundOver = s.Discovered
	observations := c.monitor.Observations()
	s.Findings = inventory.Judge(c.addFrozen(c.known(), observations), observations, o)
	c.memory.keepShards(s.At, s.Findings, c.frozen)
	s.Findings, s.held = c.damper.hold(s.At, s.Findings)
	inventory.Choose(s.Findings, o)
	c.memory.noteStandIns(o.StandIns, s.Findings)
	if s.Discovered && s.Source == nil {
		s.Misnamed = inventory.MisnamedPrimaries(s.Findings, o.Primary, func(ref backend.Ref) (exists, sure bool) {
			return c.source.Has(ref), !slices.Contains(s.Frozen, ref.Namespace)
		})
	}
}

// stands reports whether it is safe to keep a candidate's name published: either the Service with that name is known
// and has no denied address, or no Service has the name.
func (c *Controller) stands(candidate *backend.Candidate) bool {
	d, known := c.detections[candidate.Service.Ref]
	if !known {
		return !c.source.Has(candidate.Service.Ref)
	}
	now := *candidate
	now.Service = d.Service
	target := probe.Target{Candidate: &now, Type: c.opts.Catalog.Lookup(now.Type), Endpoints: d.Endpoints}
	return d.Service.Type != "ExternalName" && !c.monitor.Denied(target)
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
