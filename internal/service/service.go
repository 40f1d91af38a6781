// Package service puts the controller's parts together and runs them until the process is told to stop.
package service

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/events"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/leader"
	"kubernaut.io/dynamic-toolset/internal/lifecycle"
	"kubernaut.io/dynamic-toolset/internal/logging"
	"kubernaut.io/dynamic-toolset/internal/metrics"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/world"
)

// Options of a service.
type Options struct {
	Config    *config.Config
	Catalog   *catalog.Catalog
	Detector  *detect.Detector
	Inventory inventory.Options
	Probe     probe.Options
	Cluster   *rest.Config // without a timeout: watches last
	Labels    map[string]string
	DryRun    bool
	Version   string
	LogTo     io.Writer
}

// Run runs the service until ctx ends, and then stops it in order: not ready, requests finished, the last write done, the
// lease released. Its errors are about the start.
func Run(ctx context.Context, o Options) error {
	log, err := logging.New(o.LogTo, o.Config.Log)
	if err != nil {
		return err
	}
	logging.Redirect(log)
	s, err := assemble(o, log)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// service is everything that runs.
type service struct {
	options    Options
	identity   string // of this replica
	log        *slog.Logger
	probes     *lifecycle.Probes
	servers    []*lifecycle.Server
	world      *world.World
	watch      *cluster.Watch
	monitor    *health.Monitor
	elector    *leader.Elector
	events     *events.Recorder
	controller *controller.Controller
}

const (
	conditionSynced     = "caches"
	conditionDiscovered = "discovery"
)

// stuckAfter is how long the loop may take for one turn: a publication with all its tries, and a document of many backends.
const stuckAfter = 90 * time.Second

func assemble(o Options, log *slog.Logger) (*service, error) {
	c := o.Config
	s := &service{options: o, identity: leader.Identity(), log: log, probes: lifecycle.NewProbes(stuckAfter,
		lifecycle.Condition{Name: conditionSynced, Message: "the API server has not shown all Services, EndpointSlices and the ConfigMap yet"},
		lifecycle.Condition{Name: conditionDiscovered, Message: "the first discovery has not ended"},
	)}
	meter := metrics.New(o.Version, names(o.Catalog))
	if err := s.elect(); err != nil {
		return nil, err
	}
	if err := s.look(meter); err != nil {
		return nil, err
	}
	if err := s.record(meter); err != nil {
		return nil, err
	}
	core, err := corev1.NewForConfig(o.Cluster)
	if err != nil {
		return nil, fmt.Errorf("client for the ConfigMap: %w", err)
	}
	report := &controller.Report{Metrics: meter, Events: s.events, Log: log}
	prober, err := probe.New(o.Probe)
	if err != nil {
		return nil, err
	}
	s.monitor = health.New(prober, health.Options{
		Interval: c.Health.Interval, Threshold: c.Health.FailureThreshold, Concurrency: c.Health.Concurrency, Failed: report.Failed,
	})
	s.controller = controller.New(
		source{s.world, s.watch}, cluster.NewOutput(s.watch, core.ConfigMaps(c.Output.Namespace), o.Labels), s.elector, s.monitor,
		controller.Options{
			Catalog: o.Catalog, Detector: o.Detector, Inventory: o.Inventory,
			Toolset: toolset.Options{
				Types: o.Catalog.Types, Baseline: c.HolmesGPT.Baseline,
				GenerationMarker: c.HolmesGPT.GenerationMarker, Formats: c.Output.Formats,
			},
			Settle: c.Discovery.Settle, Interval: c.Discovery.Interval, Resync: c.Output.Resync,
			DryRun: o.DryRun, Log: log, Report: report,
		})
	s.listen(meter)
	return s, nil
}

// target is the ConfigMap that is kept right.
func (s *service) target() backend.Ref {
	return backend.Ref{Namespace: s.options.Config.Output.Namespace, Name: s.options.Config.Output.ConfigMap}
}

// elect takes part in the election, on a connection of its own.
func (s *service) elect() error {
	c := &s.options.Config.LeaderElection
	client, err := leader.Client(s.options.Cluster, c.RenewDeadline)
	if err != nil {
		return err
	}
	s.elector, err = leader.New(client, leader.Options{
		Enabled: c.Enabled && !s.options.DryRun, Namespace: s.options.Config.Output.Namespace, Name: c.LeaseName,
		Identity: s.identity, LeaseDuration: c.LeaseDuration,
		RenewDeadline: c.RenewDeadline, RetryPeriod: c.RetryPeriod, Log: s.log,
	})
	return err
}

// look prepares the watches.
func (s *service) look(meter *metrics.Metrics) (err error) {
	c := s.options.Config
	s.world = world.New(s.options.Detector.Relevant)
	s.watch, err = cluster.NewWatch(s.options.Cluster, s.world, cluster.Options{
		Namespaces: c.Discovery.Namespaces, Exclude: c.Discovery.ExcludeNamespaces,
		ConfigMap: s.target(), KeepAnnotation: s.options.Detector.KeepAnnotation,
		Failed: func() { meter.Error(metrics.OperationList) }, Log: s.log,
	})
	return err
}

// record prepares the Events, which only a leader records.
func (s *service) record(meter *metrics.Metrics) (err error) {
	s.events, err = events.New(s.options.Cluster, events.Options{
		ConfigMap: s.target(), Instance: s.identity,
		Record: func() bool { return !s.options.DryRun && s.elector.Leading() },
		Failed: func() { meter.Error(metrics.OperationEvent) },
		Log:    s.log,
	})
	return err
}

func (s *service) listen(meter *metrics.Metrics) {
	c := s.options.Config
	api, scrape := http.NewServeMux(), http.NewServeMux()
	s.probes.Register(api)
	scrape.Handle("/metrics", meter.Handler(s.log))
	s.servers = []*lifecycle.Server{
		{Name: "api", Key: "server.address", Addr: c.Server.Address, Handler: api, Log: s.log},
		{Name: "metrics", Key: "metrics.address", Addr: c.Metrics.Address, Handler: scrape, Log: s.log},
	}
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
	var failed error
	work.Go(func() {
		if failed = s.watch.Run(working); failed != nil {
			stopServing()
		}
	})
	work.Go(func() { s.monitor.Run(working) })
	work.Go(func() { s.events.Run(working) })
	work.Go(func() { s.controller.Run(working) })
	work.Go(func() { s.observe(working) })
	election.Go(func() { s.elector.Run(electing) })

	err := lifecycle.Run(serving, s.probes, s.servers, lifecycle.Shutdown{
		Delay: s.options.Config.Shutdown.Delay, Timeout: s.options.Config.Shutdown.Timeout,
	})
	stopWorking()
	work.Wait()
	stopElecting()
	election.Wait()
	if err == nil {
		err = failed
	}
	s.log.Info("stopped")
	return err
}

// observe tells the probes how far the controller is.
func (s *service) observe(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	synced := s.watch.Synced()
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
		if live := s.watch.Live(); live != nil {
			s.events.ConfigMapUID(string(live.UID))
		}
		if snapshot := s.controller.Snapshot(); snapshot != nil && snapshot.Discovered {
			s.probes.Met(conditionDiscovered)
		}
	}
}

// source is the cluster's Services as the controller takes them.
type source struct {
	*world.World
	watch *cluster.Watch
}

func (s source) Synced() <-chan struct{} { return s.watch.Synced() }
func (s source) Err() error              { return s.watch.Err() }

func names(c *catalog.Catalog) []string {
	var list []string
	for _, t := range c.Types {
		if t.Builtin() {
			list = append(list, t.Type)
		}
	}
	return list
}
