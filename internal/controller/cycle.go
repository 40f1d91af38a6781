package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// cycle is the path from a change to the ConfigMap: what changed is detected anew and asked, all that is known becomes
// findings, and those, with the overrides that the ConfigMap holds, become the keys it should hold.
// It returns how soon to try again; 0 means not before something changes.
func (c *Controller) cycle(ctx context.Context) (again time.Duration) {
	begin := time.Now()
	c.look()
	s := c.newSnapshot()
	s.Took.Detect = time.Since(begin)

	build := func(live *corev1.ConfigMap) (publish.Desired, error) {
		from := time.Now()
		defer func() { s.Took.Build += time.Since(from) }()
		return c.build(s, live)
	}
	switch wait := c.early(s); {
	case c.opts.DryRun || !c.leading:
		c.waiting = time.Time{}
		_, s.Err = build(c.output.Live())
	case wait > 0:
		again = wait
		_, s.Err = build(c.output.Live())
	default:
		from := time.Now()
		again, s.InForce, s.Err = c.publish(ctx, s, build)
		s.Took.Publish = time.Since(from) - s.Took.Build
	}
	s.Overrides = c.memory.overrides.err
	s.Took.Total = time.Since(begin)
	c.noteOutput()
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
	c.opts.Report.Cycle(s)
	c.store(s)
	if s.held > 0 {
		again = sooner(again, s.held)
	}
	if !s.Discovered { // one that hangs keeps nobody from being ready
		again = sooner(again, firstRound-time.Since(c.memory.began))
	}
	return again
}

// look takes in what there is, and has the backends asked that have changed. The answers are the monitor's to tell.
func (c *Controller) look() {
	c.lead()
	c.detect()
	c.recall(c.output.Live())
	c.monitor.Set(c.targets())
}

// sooner is the shorter wait; 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if b = max(b, time.Millisecond); a == 0 || b < a {
		return b
	}
	return a
}

// detect decides anew about the Services that have changed.
func (c *Controller) detect() {
	for _, change := range c.source.Take() {
		before, known := c.detections[change.Ref]
		if change.Service == nil {
			delete(c.detections, change.Ref)
			if known && before.Complaint() != "" {
				c.opts.Report.GoodAnnotation(before.Service)
			}
			continue
		}
		d := inventory.Detection{
			Service: change.Service, Endpoints: change.Endpoints,
			Result: c.opts.Detector.Detect(change.Service, change.Endpoints),
		}
		c.detections[change.Ref] = d
		complaint := d.Complaint()
		if known && before.Complaint() != "" && before.Complaint() != complaint {
			c.opts.Report.GoodAnnotation(d.Service)
		}
		if complaint != "" {
			c.opts.Report.BadAnnotation(d.Service, d.Type, complaint)
		}
	}
}

// known is what detection made of all that is there, as much of it as is looked at.
func (c *Controller) known() []inventory.Detection {
	all := slices.SortedFunc(maps.Values(c.detections), func(a, b inventory.Detection) int {
		return a.Service.Ref.Compare(b.Service.Ref)
	})
	return inventory.Bound(all, c.opts.Inventory)
}

// targets are what the monitor is to probe.
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

// findings decides about everything that is known. held is when the first of those that change too often may be published;
// 0 where there is none.
func (c *Controller) findings(firstRoundOver bool) (all []*backend.Finding, held time.Duration) {
	o := c.opts.Inventory
	o.Recorded, o.FirstRoundOver = c.memory.primaries, firstRoundOver
	observations := c.monitor.Observations()
	all = inventory.Judge(c.addFrozen(c.known(), observations), observations, o)
	all, held = c.damper.hold(time.Now(), all)
	inventory.Choose(all, o)
	return all, held
}

// stands reports whether what is behind a candidate's name by now may be: it is known, and none of its addresses is denied.
// Where there is no Service of that name, the name leads nowhere.
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

// publish writes, and says how soon to try again where that failed, and whether the output holds by now what build says.
func (c *Controller) publish(ctx context.Context, s *Snapshot, build publish.Build) (again time.Duration, done bool, err error) {
	before := c.output.Live()
	r, err := c.output.Publish(ctx, build)
	if errors.Is(err, errNotLeading) {
		return 0, false, nil
	}
	if errors.Is(err, errBehind) {
		return behindRetry, false, nil // or sooner, when it does
	}
	limited := c.memory.repaired(&r)
	c.resync = false
	var waited time.Duration
	if r.Written && !c.waiting.IsZero() {
		waited = time.Since(c.waiting)
	}
	told := err
	if live := r.Live; err == nil && live != nil && live.Immutable != nil && *live.Immutable {
		// It is right as it is, and will not be for long.
		told = fmt.Errorf("ConfigMap %s/%s: %w", live.Namespace, live.Name, publish.ErrImmutable)
	}
	if ctx.Err() == nil {
		c.opts.Report.Published(r, limited, told, waited)
	}
	if err != nil {
		return c.memory.backoff(), false, err
	}
	c.noteReferences(before, s, r.Written)
	if r.Restored {
		c.memory.overrides.observe(r.Live, nil) // from now on it is the admin's to remove
	}
	c.memory.failures, c.memory.own = 0, true
	c.waiting = time.Time{}
	return 0, true, told
}
