package controller

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// cycle is the path from a change to the ConfigMap: what changed is detected anew, the monitor is told what to probe, all
// that is known becomes findings, and those, with the overrides that the ConfigMap holds, become the keys it should hold.
// It returns how soon to try again; 0 means not before something changes.
func (c *Controller) cycle(ctx context.Context) (again time.Duration) {
	begin := time.Now()
	c.detect()
	c.recall(c.output.Live())
	c.monitor.Set(c.targets())
	s := c.newSnapshot(c.findings())

	build := func(live *corev1.ConfigMap) (publish.Desired, error) { return c.build(s, live) }
	switch {
	case c.opts.DryRun || !c.leader.Leading():
		_, s.Err = build(c.output.Live())
	case c.tooEarly():
		again = earlyRetry
		_, s.Err = build(c.output.Live())
	default:
		again, s.Err = c.publish(ctx, build)
	}
	s.Took = time.Since(begin)
	c.tell(s)
	c.opts.Report.Cycle(s)
	c.snapshot.Store(s)
	return again
}

// detect decides anew about the Services that have changed.
func (c *Controller) detect() {
	for _, change := range c.source.Take() {
		if change.Service == nil {
			delete(c.detections, change.Ref)
			continue
		}
		d := inventory.Detection{
			Service: change.Service, Endpoints: change.Endpoints,
			Result: c.opts.Detector.Detect(change.Service, change.Endpoints),
		}
		before := c.detections[change.Ref].Annotation
		c.detections[change.Ref] = d
		if d.Annotation != "" {
			c.opts.Report.BadAnnotation(d.Service, d.Rejected)
		} else if before != "" {
			c.opts.Report.GoodAnnotation(d.Service)
		}
	}
}

// targets are what the monitor is to probe.
func (c *Controller) targets() []probe.Target {
	var list []probe.Target
	for _, d := range c.detections {
		for _, candidate := range d.Candidates {
			list = append(list, probe.Target{
				Candidate: candidate, Type: c.opts.Catalog.Lookup(candidate.Type), Endpoints: d.Endpoints,
			})
		}
	}
	return list
}

func (c *Controller) findings() []*backend.Finding {
	o := c.opts.Inventory
	o.MustProve, o.Type, o.Recorded = true, c.opts.Catalog.Lookup, c.memory.primaries
	detections := slices.SortedFunc(maps.Values(c.detections), func(a, b inventory.Detection) int {
		return a.Service.Ref.Compare(b.Service.Ref)
	})
	return inventory.Build(detections, c.monitor.Observations(), o)
}

// publish writes, and says how soon to try again where that failed.
func (c *Controller) publish(ctx context.Context, build publish.Build) (again time.Duration, err error) {
	r, err := c.output.Publish(ctx, build)
	if errors.Is(err, errNotLeading) {
		return 0, nil
	}
	limited := c.memory.repairs.Made(r.Drifted, time.Now())
	c.resync = false
	var waited time.Duration
	if r.Written && !c.waiting.IsZero() {
		waited = time.Since(c.waiting)
	}
	if ctx.Err() == nil {
		c.opts.Report.Published(r, limited, err, waited)
	}
	if err != nil {
		return c.memory.backoff(), err
	}
	c.memory.failures = 0
	c.waiting = time.Time{}
	return 0, nil
}
