// Package controller keeps the published toolsets up to date. It waits for a change and then runs a cycle, which is the
// whole path from Services to the ConfigMap (Controller.cycle).
package controller

import (
	"context"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Source provides the Services.
type Source interface {
	Changes() <-chan struct{} // receives a value if Take has changes
	Take() []store.Change
	TouchAll() // makes Take return all Services
	Has(service backend.Ref) bool
	Keep(services map[backend.Ref]bool) // keeps these in full, with endpoints, even if no type matches them any longer
	Synced() <-chan struct{}
	Frozen() []string // namespaces that may not be watched, sorted
	Err() error       // why the Services may be outdated; nil if they are not
}

// Output is the ConfigMap, or a directory that is treated as one.
type Output interface {
	Moved() <-chan struct{} // receives a value if the output may have changed
	Live() *corev1.ConfigMap
	Gone() *corev1.ConfigMap // the last state of the ConfigMap that was deleted last, nil if none was
	NewTerm()                // is called when this replica begins to lead
	// Drifted returns the keys of d that another writer has changed in live.
	Drifted(live *corev1.ConfigMap, d publish.Desired) []publish.Drift
	Publish(ctx context.Context, build publish.Build) (publish.Result, error)
}

// Leader reports whether this replica writes.
type Leader interface {
	Leading() bool
	Term() int // grows each time this replica begins to lead: others may have led in between
	Changed() <-chan struct{}
}

// Options configure a Controller.
type Options struct {
	Catalog   *catalog.Catalog
	Detector  *detect.Detector
	Inventory inventory.Options
	Toolset   toolset.Options

	Settle   time.Duration // how long changes are collected before a cycle
	Interval time.Duration // between full discoveries
	Resync   time.Duration // between full comparisons of the output with the desired content
	DryRun   bool
	// Whole makes the first document wait until every backend was probed once, if no published state is recorded. It
	// is set if the state may be lost with each restart: without it, a credential could be referenced before it is
	// known which instances share the toolset.
	Whole bool

	Beat   func()       // is called at least every few seconds while the loop works; may be nil
	Agent  *agent.Agent // is notified of Services and of the published document; may be nil
	Report *Report
}

// followerFactor is the factor for the probe interval of a replica that does not lead.
const followerFactor = 4

// Controller runs the cycle. All fields belong to the goroutine of Run, except the snapshot.
type Controller struct {
	source  Source
	output  Output
	leader  Leader
	monitor *health.Monitor
	opts    Options

	detections map[backend.Ref]inventory.Detection
	bare       map[string]int        // by namespace: how many detections are of Services that are not read in full
	frozen     []string              // namespaces that may not be watched, when changes were taken last
	stale      bool                  // detections have changed since lookedAt was computed
	lookedAt   []inventory.Detection // the detections within the limits, with a candidate for each tenant
	tenants    inventory.Tenants     // the tenants of lookedAt
	memory     memory
	damper     damper
	waiting    time.Time // since when a change waits to be published; zero if none does
	resync     bool      // this cycle repairs all differences
	leading    bool
	term       int // of the leader's, while leading
	written    Written
	snapshot   atomic.Pointer[Snapshot]
	updated    atomic.Pointer[chan struct{}]
	discoveries
}

// New returns a Controller. Run starts it.
func New(source Source, output Output, leader Leader, monitor *health.Monitor, opts Options) *Controller {
	opts.Inventory.MustProve, opts.Inventory.Type = true, opts.Catalog.Lookup
	if opts.Beat == nil {
		opts.Beat = func() {}
	}
	c := &Controller{
		source: source, output: output, leader: leader, monitor: monitor, opts: opts,
		detections: map[backend.Ref]inventory.Detection{}, bare: map[string]int{},
		memory: memory{gone: map[string]time.Time{}},
	}
	for _, b := range opts.Detector.Outside() {
		c.detections[b.Service.Ref] = inventory.Detection{Service: b.Service, Result: b.Result}
		c.stale = true
	}
	c.damper = newDamper(opts.Inventory.Trusts, c.stands, monitor.Patience())
	c.asked, c.over = make(chan *discovery, 1), make(chan *discovery, 1)
	updated := make(chan struct{})
	c.updated.Store(&updated)
	return c
}

// Snapshot returns the result of the last cycle, nil before the first one. It must not be changed.
func (c *Controller) Snapshot() *Snapshot { return c.snapshot.Load() }

// Run runs cycles until ctx ends.
func (c *Controller) Run(ctx context.Context) {
	c.opts.Beat()
	heart := time.Tick(time.Second)
	for synced := false; !synced; {
		select {
		case <-ctx.Done():
			return
		case <-heart:
			c.opts.Beat()
		case <-c.source.Synced():
			synced = true
		}
	}
	discovery, resync := time.Tick(c.opts.Interval), time.Tick(c.opts.Resync)
	changes := c.source.Changes()
	var rested <-chan time.Time // receives a value at the end of a pause in which no changes are taken
	c.begin()
	next := planned{}
	next.in(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-heart:
		case <-rested:
			changes = c.source.Changes()
		case <-changes: // backends are probed at once, and the results are collected
			if wait := c.look(); wait > 0 {
				changes, rested = nil, time.After(wait)
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
		case <-discovery:
			c.rediscover()
		case d := <-c.asked:
			c.startDiscovery(ctx, d)
		case c.ending = <-c.over:
			next.in(0)
		case <-resync:
			c.resync = true
			next.in(0)
		case <-next.due:
			next = planned{}
			if again := c.cycle(ctx); again > 0 {
				next.in(again)
			}
		}
		c.opts.Beat()
	}
}

// look detects and probes the changed Services. It returns how long to pause before the next changes are taken.
func (c *Controller) look() time.Duration {
	begun := time.Now()
	c.detect()
	c.probe()
	c.changed()
	return rest(time.Since(begun))
}

// planned is the time of the next cycle.
type planned struct {
	at  time.Time // zero if no cycle is planned
	due <-chan time.Time
}

// in plans a cycle after the wait, unless one is planned sooner.
func (p *planned) in(wait time.Duration) {
	if t := time.Now().Add(wait); p.at.IsZero() || t.Before(p.at) {
		p.at, p.due = t, time.After(wait)
	}
}

// begin reads the state before the first cycle.
func (c *Controller) begin() {
	c.monitor.SetFactor(followerFactor)
	c.lead()
	c.noteOutput(c.memory.keys)
	c.written.At = time.Time{} // the output is older than this process
}

// lead handles a change of leaders. A new leader probes at the full rate, and drops what it knows about earlier writes.
func (c *Controller) lead() {
	leading, term := c.leader.Leading(), c.leader.Term()
	if leading == c.leading && (!leading || term == c.term) {
		return
	}
	c.leading, c.term, c.memory.own, c.memory.references = leading, term, false, nil
	if !leading {
		c.monitor.SetFactor(followerFactor)
		return
	}
	c.output.NewTerm()
	c.source.TouchAll() // only a leader reports bad annotations
	c.monitor.SetFactor(1)
}

// settle returns how long results of probes are collected. It is 0 once all the first results are there.
func (c *Controller) settle() time.Duration {
	if s := c.Snapshot(); s != nil && !s.Discovered && c.firstRoundOver() {
		return 0
	}
	return c.gather()
}

// gather returns how long changes are collected. It is longer soon after a cycle that took long.
func (c *Controller) gather() time.Duration {
	if s := c.Snapshot(); s != nil {
		rested := time.Since(s.At.Add(s.Took.Total))
		return max(c.opts.Settle, rest(s.Took.Total-s.Took.Publish)-rested)
	}
	return c.opts.Settle
}

// rest returns how long to pause after work whose duration grows with the number of Services, so that an owner of
// thousands of Services who keeps changing one of them cannot use the whole processor.
func rest(worked time.Duration) time.Duration {
	const share, longest = 3, time.Second
	return min(share*worked, longest)
}

func (c *Controller) changed() {
	if c.waiting.IsZero() {
		c.waiting = time.Now()
	}
}
