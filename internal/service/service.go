// Package service puts the controller's parts together and runs them until the process is told to stop.
package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/history"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/logging"
	"kubernaut.io/dynamic-toolset/internal/metrics"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Options of a service.
type Options struct {
	Config    *config.Config
	Catalog   *catalog.Catalog
	Detector  *detect.Detector
	Inventory inventory.Options
	Probe     probe.Options
	Cluster   *rest.Config      // without a timeout: watches last
	Labels    map[string]string // of the ConfigMap
	// Standalone, where it is not nil, is there instead of Cluster and Labels.
	Standalone *Standalone
	DryRun     bool
	Version    string
	LogTo      io.Writer
}

// Run runs the service until ctx ends, and then stops it in order: not ready, requests finished, the last write done, the
// lease released. Its errors are about the start.
func Run(ctx context.Context, o Options) error {
	log, err := logging.New(o.LogTo, o.Config.Log)
	if err != nil {
		return err
	}
	logging.Redirect(log)
	s, err := assemble(ctx, o, log)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// service is everything that runs.
type service struct {
	options    Options
	log        *slog.Logger
	probes     *server.Probes
	servers    []*server.Listener
	site       *site
	monitor    *health.Monitor
	controller *controller.Controller
	history    *history.Log
}

const (
	conditionSynced     = "caches"
	conditionDiscovered = "discovery"
)

// stuckAfter is how long the loop may take for one turn: a publication with all its tries, and a document of many backends.
const stuckAfter = 90 * time.Second

// waitsFor is what the caches wait for, with what keeps them, where that is known.
func waitsFor(o *Options, err error) string {
	text := "the API server has not shown all Services, EndpointSlices and the ConfigMap yet"
	if o.Standalone != nil {
		text = "the files have not been read yet"
	}
	if err != nil {
		text += ": " + err.Error()
	}
	return text
}

func assemble(ctx context.Context, o Options, log *slog.Logger) (*service, error) {
	c := o.Config
	s := &service{options: o, log: log, history: new(history.Log), probes: server.NewProbes(stuckAfter,
		server.Condition{Name: conditionSynced, Message: waitsFor(&o, nil)},
		server.Condition{Name: conditionDiscovered, Message: "the first discovery has not ended"},
	)}
	meter := metrics.New(o.Version, names(o.Catalog))
	prober, err := probe.New(o.Probe)
	if err != nil {
		return nil, err
	}
	if s.site, err = newSite(ctx, &o, prober.Forbids, meter, log); err != nil {
		return nil, err
	}
	if o.Inventory.OpenShift == nil {
		o.Inventory.OpenShift = s.site.openShift
	}
	report := &controller.Report{Metrics: meter, Events: s.site.events, Log: log, History: s.history}
	if o.Standalone == nil && cluster.Inside() {
		report.Resolver = net.DefaultResolver
		report.Trusted = func(namespace string) bool { return slices.Contains(c.Security.TrustedNamespaces, namespace) }
	}
	s.monitor = health.New(prober, health.Options{
		Interval: c.Health.Interval, Threshold: c.Health.FailureThreshold, Concurrency: c.Health.Concurrency,
		Address: probe.Address, Checked: report.Checked,
	})
	s.controller = controller.New(s.site.source, s.site.output, s.site.elector, s.monitor, controller.Options{
		Catalog: o.Catalog, Detector: o.Detector, Inventory: o.Inventory,
		Toolset: toolset.Options{
			Types: o.Catalog.Types, Baseline: c.HolmesGPT.Baseline,
			GenerationMarker: c.HolmesGPT.GenerationMarker, Formats: c.Output.Formats,
			TrustedNamespaces: c.Security.TrustedNamespaces,
		},
		Settle: c.Discovery.Settle, Interval: c.Discovery.Interval, Resync: c.Output.Resync,
		DryRun: o.DryRun, Log: log, Report: report,
	})
	if err := s.listen(meter); err != nil {
		return nil, err
	}
	return s, nil
}

// run starts everything and stops it in order.
func (s *service) run(ctx context.Context) error {
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	electing, stopElecting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopElecting()

	var work, election sync.WaitGroup
	var failed atomic.Pointer[error]
	for _, run := range s.site.work {
		work.Go(func() {
			if err := run(working); err != nil {
				failed.Store(&err)
				stopServing()
			}
		})
	}
	work.Go(func() { s.monitor.Run(working) })
	work.Go(func() { s.controller.Run(working) })
	work.Go(func() { s.observe(working) })
	election.Go(func() { s.site.elector.Run(electing) })

	err := server.Run(serving, s.probes, s.servers, server.Shutdown{
		Delay: s.options.Config.Shutdown.Delay, Timeout: s.options.Config.Shutdown.Timeout,
	})
	stopWorking()
	work.Wait()
	stopElecting()
	election.Wait()
	err = errors.Join(err, s.site.close())
	if reason := failed.Load(); err == nil && reason != nil {
		err = *reason
	}
	s.log.Info("stopped")
	return err
}

// reserve is how much memory is asked for at the start and never touched, so that no machine ever gives it: the garbage
// collector counts it, and lets as much garbage gather before it looks. A start makes a lot while the heap is small, and would
// be held up by one collection after the other.
const reserve = 32 << 20 // bytes

// observe tells the probes how far the controller is.
func (s *service) observe(ctx context.Context) {
	untouched := make([]byte, reserve)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	synced, settled := s.site.source.Synced(), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-synced:
			synced = nil
			s.probes.Met(conditionSynced)
		case <-tick.C:
		}
		if time.Since(s.controller.Beat()) < stuckAfter {
			s.probes.Beat()
		}
		s.site.tick()
		if synced != nil {
			s.probes.Waiting(conditionSynced, waitsFor(&s.options, s.site.source.Err()))
		}
		if snapshot := s.controller.Snapshot(); snapshot != nil && snapshot.Discovered {
			s.probes.Met(conditionDiscovered)
			if !settled { // reading everything once took several times what is kept
				settled = true
				runtime.KeepAlive(untouched)
				untouched = nil
				debug.FreeOSMemory()
			}
		}
	}
}

func names(c *catalog.Catalog) []string {
	var list []string
	for _, t := range c.Types {
		if t.Builtin() {
			list = append(list, t.Type)
		}
	}
	return list
}
