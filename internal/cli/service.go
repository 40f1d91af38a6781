package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/logging"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/server"
)

// serviceOptions are the options of a service.
type serviceOptions struct {
	Config    *config.Config
	Catalog   *catalog.Catalog
	Detector  *detect.Detector
	Inventory inventory.Options
	Probe     probe.Options
	Cluster   *rest.Config      // without a timeout, because watches stay open
	Files     *serviceFiles     // source of Services instead of Cluster; nil to use Cluster
	Labels    map[string]string // of the ConfigMap
	Directory *directory        // output instead of the ConfigMap; nil to write the ConfigMap
	DryRun    bool
	Version   string
	LogTo     io.Writer

	relevant func(*backend.Service) bool // the Services to keep in full
}

// runService runs the service until ctx ends. It then stops in order: it becomes not ready, finishes requests, does the
// last write and releases the lease.
func runService(ctx context.Context, o serviceOptions) error {
	log := logging.New(o.LogTo, o.Config.Log)
	logging.Redirect(log)
	s, err := assemble(ctx, o, log)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// service holds the parts of a running service.
type service struct {
	options    serviceOptions
	log        *slog.Logger
	probes     *server.Probes
	servers    []*server.Listener
	runtime    *serviceRuntime
	monitor    *health.Monitor
	controller *controller.Controller
	history    *controller.Changes
	agent      *agent.Agent // nil if HolmesGPT is not asked
}

const (
	conditionSynced     = "caches"
	conditionDiscovered = "discovery"
	conditionWritten    = "document"
)

// stuckAfter is the longest time that one turn of the loop may take. It allows for a document of many backends and for
// all retries of its publication.
const stuckAfter = 90 * time.Second

// startGCPercent is GOGC during the start.
const startGCPercent = 200

func assemble(ctx context.Context, o serviceOptions, log *slog.Logger) (*service, error) {
	c := o.Config
	s := &service{options: o, log: log, history: new(controller.Changes)}
	s.probes = server.NewProbes(stuckAfter, s.conditions()...)
	meter := server.NewMetrics(o.Version, names(o.Catalog))
	prober, err := probe.New(o.Probe)
	if err != nil {
		return nil, err
	}
	report := &controller.Report{Metrics: meter, Log: log, History: s.history}
	s.agent = newAgent(&o, prober.Forbids, report.Agent)
	o.relevant = o.Detector.Matters
	if s.agent != nil {
		meter.Agent(s.agent.State)
		o.relevant = func(s2 *backend.Service) bool { return o.Detector.Matters(s2) || s.agent.Looks(s2) }
	}
	if s.runtime, err = newRuntime(ctx, &o, prober.Forbids, meter, log); err != nil {
		return nil, err
	}
	report.Events = s.runtime.events
	if o.Inventory.OpenShift == nil {
		o.Inventory.OpenShift = s.runtime.openShift
	}
	if o.Files == nil && cluster.Inside(o.Cluster) {
		report.Resolver = net.DefaultResolver
	}
	s.monitor = health.New(prober, health.Options{
		Interval: c.Health.Interval, Threshold: c.Health.FailureThreshold, Concurrency: c.Health.Concurrency,
		Address: probe.Address, Checked: meter.Checked,
	})
	options := controller.Options{
		Catalog: o.Catalog, Detector: o.Detector, Inventory: o.Inventory,
		Toolset: toolsetOptions(c, o.Catalog),
		Settle:  c.Discovery.Settle, Interval: c.Discovery.Interval, Resync: c.Output.Resync,
		DryRun: o.DryRun, Whole: o.Directory != nil, Beat: s.probes.Beat, Report: report,
		Agent: s.agent,
	}
	s.controller = controller.New(s.runtime.source, s.runtime.output, s.runtime.elector, s.monitor, options)
	if err := s.listen(meter); err != nil {
		return nil, err
	}
	return s, nil
}

// conditions returns the conditions of readiness. With a directory, readiness also needs the first write, because
// HolmesGPT can start once the service is ready.
func (s *service) conditions() []server.Condition {
	list := []server.Condition{
		{
			Name: conditionSynced, Message: "not all Services, EndpointSlices and the ConfigMap have been read yet",
			Why: func() error { return s.runtime.source.Err() },
		},
		{Name: conditionDiscovered, Message: "the first discovery has not ended"},
	}
	if s.options.Directory != nil {
		list = append(list, server.Condition{
			Name: conditionWritten, Message: "the document has not been written yet",
			Why: func() error {
				if snapshot := s.controller.Snapshot(); snapshot != nil {
					return snapshot.Err
				}
				return nil
			},
		})
	}
	return list
}

// run starts everything and stops it in order.
func (s *service) run(ctx context.Context) error {
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	electing, stopElecting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopElecting()

	var work, election sync.WaitGroup
	for _, run := range s.runtime.work {
		work.Go(func() { run(working) })
	}
	work.Go(func() { s.monitor.Run(working) })
	work.Go(func() { s.controller.Run(working) })
	work.Go(func() { s.observe(working) })
	if s.agent != nil {
		work.Go(func() { s.agent.Run(working) })
	}
	election.Go(func() { s.runtime.elector.Run(electing) })

	err := server.Run(ctx, s.probes, s.servers, server.Shutdown{
		Delay: s.options.Config.Shutdown.Delay, Timeout: s.options.Config.Shutdown.Timeout,
	})
	stopWorking()
	work.Wait()
	stopElecting()
	election.Wait()
	s.log.Info("stopped")
	return errors.Join(err, s.runtime.close())
}

// observe reports the progress of the start to the health endpoints. The start makes much garbage while the heap is
// small, so until it ends GOGC is higher, within GOMEMLIMIT.
func (s *service) observe(ctx context.Context) {
	defer debug.FreeOSMemory() // the first read takes several times the memory that is kept
	defer debug.SetGCPercent(debug.SetGCPercent(startGCPercent))
	select {
	case <-ctx.Done():
		return
	case <-s.runtime.source.Synced():
		s.probes.Met(conditionSynced)
	}
	for {
		updated := s.controller.Updated() // before looking, so that nothing is missed
		if snapshot := s.controller.Snapshot(); snapshot != nil && snapshot.Discovered {
			s.probes.Met(conditionDiscovered)
			if snapshot.InForce {
				s.probes.Met(conditionWritten)
			}
			if snapshot.InForce || s.options.Directory == nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-updated:
		}
	}
}

// names returns the names of the built-in types.
func names(c *catalog.Catalog) []string {
	var list []string
	for _, t := range c.Types {
		if t.Builtin() {
			list = append(list, t.Type)
		}
	}
	return list
}
