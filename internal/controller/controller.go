// Package controller keeps the published toolsets up to date: it waits for a change, and then runs one cycle, which
// is the whole path from Services to the ConfigMap (Controller.cycle).
package controller

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Source is where Services come from.
type Source interface {
	Changes() <-chan struct{} // receives when there is something to Take
	Take() []store.Change
	TouchAll() // everything is a change
	Has(service backend.Ref) bool
	Keep(services map[backend.Ref]bool) // in full, with their endpoints, also when no type matches them any more
	Synced() <-chan struct{}
	Frozen() []string // namespaces that may not be watched, in order
	Err() error       // why the Services as known may be outdated; nil if they are not
}

// Output is where the documents go: a ConfigMap, or a directory that is read as one.
type Output interface {
	Moved() <-chan struct{} // receives when it may have changed
	Live() *corev1.ConfigMap
	Gone() *corev1.ConfigMap // the last state of the one that was deleted last, nil if none was
	NewTerm()                // this replica begins to lead
	// Drifted is what another writer has changed in live, of what d says.
	Drifted(live *corev1.ConfigMap, d publish.Desired) []publish.Drift
	Publish(ctx context.Context, build publish.Build) (publish.Result, error)
}

// Leader says whether this replica writes.
type Leader interface {
	Leading() bool
	Changed() <-chan struct{}
}

// Options of a Controller.
type Options struct {
	Catalog   *catalog.Catalog
	Detector  *detect.Detector
	Inventory inventory.Options
	Toolset   toolset.Options

	Settle   time.Duration // how long changes are gathered
	Interval time.Duration // between full discoveries
	Resync   time.Duration // between comparisons of the output with what it should be
	// Patience is how long a backend that is reached in another way than it was published stays published as it was,
	// while the new way does not work yet: as long as one takes to count as failing. 0 is not at all.
	Patience time.Duration
	DryRun   bool
	// Whole: where nothing is recorded as published, the first document waits until every backend was asked once.
	// That record may be lost with each restart, and without it nobody knows yet beside what a reference to a
	// credential would stand.
	Whole bool

	// Beat is called as the loop turns, at least every few seconds while it does; may be nil.
	Beat func()

	// Agent is told what is published; nil where nobody asks for that.
	Agent Agent

	Log    *slog.Logger
	Report Reporter
}

// Reporter makes metrics, log lines and Events of what happens.
type Reporter interface {
	// Cycle is called at the end of each cycle.
	Cycle(s *Snapshot)
	// Forgotten is called when what was published before cannot be read.
	Forgotten(err error)
	// BadAnnotation is called for a Service whose owner should correct an annotation, each time it is detected; typ
	// is the type that it asks for, "" if none.
	BadAnnotation(s *backend.Service, typ, reason string)
	// GoodAnnotation is called when that is done.
	GoodAnnotation(s *backend.Service)
}

// followerFactor is how much less often a replica that does not lead probes the backends.
const followerFactor = 4

// Controller runs the cycle. All fields belong to the goroutine of Run, except the snapshot.
type Controller struct {
	source  Source
	output  Output
	leader  Leader
	monitor *health.Monitor
	opts    Options

	detections map[backend.Ref]inventory.Detection
	bare       map[string]int        // how many of those are of Services that are not read, by namespace
	order      []backend.Ref         // of the detections, by name
	stale      bool                  // detections have changed since they were looked at
	lookedAt   []inventory.Detection // within the bounds of what is probed, with a candidate for each tenant
	tenants    inventory.Tenants     // of those
	memory     memory
	damper     damper
	waiting    time.Time // since when a change waits to be published; zero if none does
	resync     bool      // this cycle repairs whatever differs
	leading    bool
	written    Written
	snapshot   atomic.Pointer[Snapshot]
	updated    atomic.Pointer[chan struct{}]
	discoveries
}

// New makes a Controller; Run starts it.
func New(source Source, output Output, leader Leader, monitor *health.Monitor, opts Options) *Controller {
	opts.Inventory.MustProve, opts.Inventory.Type = true, opts.Catalog.Lookup
	if opts.Beat == nil {
		opts.Beat = func() {}
	}
	c := &Controller{
		source: source, output: output, leader: leader, monitor: monitor, opts: opts,
		detections: map[backend.Ref]inventory.Detection{}, bare: map[string]int{},
	}
	for _, b := range opts.Detector.Outside() {
		c.detections[b.Service.Ref] = inventory.Detection{Service: b.Service, Result: b.Result}
		c.order, c.stale = append(c.order, b.Service.Ref), true
	}
	c.damper = newDamper(opts.Inventory.Trusts, c.stands)
	c.damper.moved.patience = opts.Patience
	c.discoveries.asked = make(chan struct{}, 1)
	c.discoveries.over = make(chan struct{}, 1)
	updated := make(chan struct{})
	c.updated.Store(&updated)
	return c
}

// Snapshot is the outcome of the last cycle, nil before the first one. It must not be changed.
func (c *Controller) Snapshot() *Snapshot { return c.snapshot.Load() }

// Run works until ctx ends.
func (c *Controller) Run(ctx context.Context) {
	c.opts.Beat()
	if !c.waitForSource(ctx) {
		return
	}
	heart := time.NewTicker(time.Second)
	discovery := time.NewTicker(c.opts.Interval)
	resync := time.NewTicker(c.opts.Resync)
	settled := time.NewTimer(0) // the first cycle comes at once
	defer heart.Stop()
	defer discovery.Stop()
	defer resync.Stop()
	rested := time.NewTimer(0)
	defer settled.Stop()
	defer rested.Stop()
	changes := c.source.Changes()
	c.begin()
	next := planned{timer: settled, at: time.Now()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-heart.C:
		case <-rested.C:
			changes = c.source.Changes()
		case <-changes: // backends are probed at once; the results are gathered
			if wait := c.look(); wait > 0 {
				changes = nil
				rested.Reset(wait)
			}
			next.in(c.gather())
		case <-c.monitor.Changed():
			c.changed()
			next.in(c.settle())
		case <-c.output.Moved(): // drift is repaired at once
			next.in(0)
		case <-c.leader.Changed():
			c.lead()
			next.in(0)
		case <-discovery.C:
			c.rediscover()
		case <-c.asked:
			c.startDiscovery(ctx)
		case <-c.over:
			c.endDiscovery()
			next.in(0)
		case <-resync.C:
			c.resync = true
			next.in(0)
		case <-settled.C:
			next.at = time.Time{}
			if again := c.cycle(ctx); again > 0 {
				next.in(again)
			}
		}
		c.opts.Beat()
	}
}

// look takes in what has changed, and returns how long to look at nothing then.
func (c *Controller) look() time.Duration {
	begun := time.Now()
	c.detect()
	c.probe()
	c.changed()
	return rest(time.Since(begun))
}

// planned is when the next cycle comes.
type planned struct {
	timer *time.Timer
	at    time.Time // zero while none is planned
}

// in plans it, if none is planned that comes sooner.
func (p *planned) in(wait time.Duration) {
	if t := time.Now().Add(wait); p.at.IsZero() || t.Before(p.at) {
		p.at = t
		p.timer.Reset(wait)
	}
}

// begin takes in what there is before the first cycle.
func (c *Controller) begin() {
	c.monitor.SetFactor(followerFactor)
	c.lead()
	c.noteOutput(c.memory.keys)
	c.written.At = time.Time{} // it was there before this process
}

// lead takes in a change of leaders. The leader probes at the full pace, and does not know what was written before.
func (c *Controller) lead() {
	leading := c.leader.Leading()
	if leading == c.leading {
		return
	}
	c.leading, c.memory.own, c.memory.references = leading, false, nil
	if leading {
		c.output.NewTerm()
		c.source.TouchAll() // only a leader reports bad annotations
		c.monitor.SetFactor(1)
	} else {
		c.monitor.SetFactor(followerFactor)
	}
}

// settle is how long results of probes are gathered. After the last of the first results there is nothing to wait for.
func (c *Controller) settle() time.Duration {
	if s := c.Snapshot(); s != nil && !s.Discovered && c.firstRoundOver() {
		return 0
	}
	return c.gather()
}

// gather is how long changes are gathered, longer where a cycle takes long.
func (c *Controller) gather() time.Duration {
	if s := c.Snapshot(); s != nil {
		return max(c.opts.Settle, rest(s.Took.Total-s.Took.Publish))
	}
	return c.opts.Settle
}

// rest is how long to pause after work that takes as long as one owner's Services are many, so that who changes one of
// thousands all the time has not all of the processor.
func rest(worked time.Duration) time.Duration {
	const share, longest = 3, time.Second
	return min(share*worked, longest)
}

func (c *Controller) changed() {
	if c.waiting.IsZero() {
		c.waiting = time.Now()
	}
}

// waitForSource keeps the heart beating while the API server is away.
func (c *Controller) waitForSource(ctx context.Context) bool {
	heart := time.NewTicker(time.Second)
	defer heart.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-c.source.Synced():
			return true
		case <-heart.C:
			c.opts.Beat()
		}
	}
}
