package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"

	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// serviceRuntime is the source of Services and the output of documents: a cluster, or files.
type serviceRuntime struct {
	source  *source
	output  controller.Output
	elector elector
	events  controller.Events
	// openShift reports whether HolmesGPT runs on OpenShift, given all findings.
	openShift func([]*backend.Finding) bool
	target    string                      // name of the ConfigMap or directory, for people
	work      []func(ctx context.Context) // each runs until the service stops
	close     func() error                // called last
}

// source is a controller.Source that can also look up single Services for the API.
type source struct {
	*store.Store
	synced <-chan struct{}
	err    func() error
	// read returns a Service of which the store has only the name.
	read func(ctx context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error)
}

func (s *source) Synced() <-chan struct{} { return s.synced }
func (s *source) Err() error              { return s.err() }

// Lookup returns one Service in full. It returns nil if the Service does not exist.
func (s *source) Lookup(ctx context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error) {
	if !s.Has(ref) {
		return nil, nil, nil
	}
	if service, endpoints := s.Get(ref); service != nil {
		return service, endpoints, nil
	}
	return s.read(ctx, ref)
}

// newCluster returns the runtime of a service that watches a cluster. If the output is a directory, there is no
// ConfigMap to watch and no election, and Events are recorded only if the cluster allows it.
func newCluster(
	o *serviceOptions, denied func(netip.Addr) bool, meter *server.Metrics, log *slog.Logger,
) (*serviceRuntime, error) {
	c := o.Config
	identity := cluster.Identity()
	elector, err := elect(o, identity, log)
	if err != nil {
		return nil, err
	}
	target := backend.Ref{Namespace: c.Output.Namespace, Name: c.Output.ConfigMap}
	if o.Directory != nil {
		target = backend.Ref{}
	}
	reader, err := cluster.NewReader(o.Cluster, o.Detector.KeepAnnotation, denied)
	if err != nil {
		return nil, err
	}
	reader.Links = linksFrom(c, o.Detector)
	known := store.New(store.Options{
		Relevant: o.relevant, Namespaces: c.Discovery.Namespaces,
		Exclude: leftOut(c, c.Discovery.ExcludeNamespaces),
	})
	watch, err := cluster.NewWatch(o.Cluster, known, cluster.Options{
		Namespaces: c.Discovery.Namespaces, ConfigMap: target, Reader: reader,
		Failed: func() { meter.Error(server.OperationList) }, Log: log,
	})
	if err != nil {
		return nil, err
	}
	recorder, err := cluster.NewRecorder(o.Cluster, cluster.RecorderOptions{ // only the leader records Events
		ConfigMap: target, Live: watch.Live, Instance: identity, Optional: o.Directory != nil,
		Record: func() bool { return !o.DryRun && elector.Leading() },
		Failed: func() { meter.Error(server.OperationEvent) },
		Log:    log,
	})
	if err != nil {
		return nil, err
	}
	routes := cluster.NewRoutes(o.Cluster)
	core, err := corev1.NewForConfig(o.Cluster)
	if err != nil {
		return nil, fmt.Errorf("client for the ConfigMap: %w", err)
	}
	return &serviceRuntime{
		source:  &source{known, allOf(watch.Synced(), routes.Asked()), watch.Err, reader.Service},
		output:  cluster.NewOutput(watch, core.ConfigMaps(target.Namespace), o.Labels),
		elector: elector, events: recorder, target: target.String(),
		openShift: func([]*backend.Finding) bool { return routes.Served() },
		work: []func(context.Context){
			watch.Run, recorder.Run, func(ctx context.Context) { routes.Run(ctx, known.Notify) },
		},
		close: func() error { return nil },
	}, nil
}

// elector reports whether this replica leads. Run takes part in elections until ctx ends; ctx ends after the last
// write.
type elector interface {
	controller.Leader
	Run(ctx context.Context)
}

// elect returns the elector, which has its own connection. Without an election this replica always leads.
func elect(o *serviceOptions, identity string, log *slog.Logger) (elector, error) {
	c := &o.Config.LeaderElection
	if !c.Enabled || o.DryRun || o.Directory != nil {
		return single{}, nil
	}
	client, err := cluster.LeaseClient(o.Cluster, c.RenewDeadline)
	if err != nil {
		return nil, err
	}
	return cluster.NewElector(client, cluster.ElectionOptions{
		Lease: backend.Ref{Namespace: o.Config.Output.Namespace, Name: c.LeaseName}, Identity: identity,
		LeaseDuration: c.LeaseDuration, RenewDeadline: c.RenewDeadline, RetryPeriod: c.RetryPeriod, Log: log,
	}), nil
}

// single is the elector of a service with one replica, which always leads.
type single struct{}

func (single) Leading() bool            { return true }
func (single) Term() int                { return 1 }
func (single) Changed() <-chan struct{} { return nil }
func (single) Run(ctx context.Context)  { <-ctx.Done() }

// allOf returns a channel that is closed when all the channels are closed.
func allOf(channels ...<-chan struct{}) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		for _, c := range channels {
			<-c
		}
		close(done)
	}()
	return done
}

// newRuntime returns the runtime that the options describe.
func newRuntime(
	ctx context.Context, o *serviceOptions, denied func(netip.Addr) bool, meter *server.Metrics, log *slog.Logger,
) (r *serviceRuntime, err error) {
	if o.Files != nil {
		r, err = newFiles(ctx, o, denied, meter, log)
	} else {
		r, err = newCluster(o, denied, meter, log)
	}
	if err == nil && o.Directory != nil {
		err = r.into(o, log)
	}
	return r, err
}
