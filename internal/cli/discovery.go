package cli

import (
	"context"
	"errors"
	"slices"

	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/files"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

var errInterrupted = errors.New("interrupted")

// discovered holds the findings that a command shows, and the parts that produced them.
type discovered struct {
	config   *config.Config
	catalog  *catalog.Catalog
	detector *detect.Detector
	prober   *probe.Prober
	cluster  *rest.Config // nil if Services are read from files
	probed   bool
	bridging *bridging // nil without a bridge
	only     []string  // namespaces that were read; empty means all
	exclude  []string  // namespaces that were left out

	live     map[string]string // data of a running service's ConfigMap, nil if not read
	known    *store.Store
	unread   []string // namespaces that the user may not read
	findings []*backend.Finding
}

// discover runs the stages: read, detect, probe, decide. whole, if not empty, is a Service to keep even if it is
// unmatched; only its namespace is probed then.
func (o *options) discover(ctx context.Context, whole backend.Ref) (*discovered, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	d, err := o.prepare(ctx)
	if err != nil {
		return nil, err
	}
	explains := whole != (backend.Ref{})
	d.known = store.New(store.Options{
		Relevant: func(s *backend.Service) bool {
			return s.Ref == whole || d.detector.Matters(s)
		},
		Namespaces: d.only, Exclude: leftOut(d.config, d.exclude), SlicesOptional: true,
	})
	if err := o.read(ctx, d); err != nil {
		return nil, err
	}
	// After the other reads, so that a command waits for an API server that hangs only once.
	if o.live == liveRequired || o.live == liveIfAllowed && d.cluster != nil {
		if d.live, err = o.liveConfigMap(ctx, d.config); err != nil && o.live == liveRequired {
			return nil, err
		}
	}
	if !explains { // an explanation describes a missing Service itself
		d.noteEmpty(o.streams)
	}
	if !d.probed && d.known.Count() > 0 && o.probe == probeAuto && d.cluster != nil {
		note(o.streams, "not probed: a cluster's own addresses cannot be reached from outside; "+
			"--probe=proxy probes through the API server")
	}
	if err := o.decide(ctx, d, whole); err != nil {
		return nil, err
	}
	d.reportMisnamed(o)
	if explains { // an explanation itself describes what was forbidden
		return d, nil
	}
	warning, err := d.forbidden()
	if err != nil {
		return nil, err
	}
	if warning != "" {
		warn(o.streams, "%s", warning)
	}
	return d, nil
}

// prepare loads the configuration and the catalog, and connects to the cluster if there is one.
func (o *options) prepare(ctx context.Context) (*discovered, error) {
	c, types, err := o.load(ctx, o.streams)
	if err != nil {
		return nil, err
	}
	detector, err := newDetector(c, types)
	if err != nil {
		return nil, err
	}
	mode, cluster, err := o.connect()
	if err != nil {
		return nil, err
	}
	prober, err := o.newProber(mode, c, cluster)
	if err != nil {
		return nil, err
	}
	only, exclude := o.namespaces(c)
	return &discovered{
		config: c, catalog: types, detector: detector, prober: prober, cluster: cluster,
		probed: mode != probeOff, bridging: o.bridging, only: only, exclude: exclude,
	}, nil
}

// decide runs detection, probes and the inventory over the Services that were read.
func (o *options) decide(ctx context.Context, d *discovered, whole backend.Ref) (err error) {
	options := inventoryOptions(d.config)
	options.Recorded = recorded(d.live)
	if options.OpenShift == nil {
		options.OpenShift = openShift(ctx, d.cluster)
	}
	pass := controller.Pass{
		Catalog: d.catalog, Detector: d.detector, Prober: d.prober, Progress: func(int, int) {}, Inventory: options,
		Probes: func(c *backend.Candidate) bool {
			return d.probed && (whole.Namespace == "" || c.Service.Namespace == whole.Namespace)
		},
	}
	if isTerminal(o.streams.Err) {
		bar := newProgress(o.streams.Err)
		defer bar.end()
		pass.Progress = bar.show
	}
	if d.findings, err = pass.Run(ctx, d.known); err != nil {
		return errInterrupted
	}
	return nil
}

// read fills the store from the files or the cluster, and prints warnings about objects that cannot be used.
func (o *options) read(ctx context.Context, d *discovered) error {
	var report store.Report
	var err error
	if d.cluster == nil {
		report, err = files.Read(ctx, o.files, o.streams.In, d.known, files.ReadOptions{
			Namespace: o.kube.namespace(), KeepAnnotation: d.detector.KeepAnnotation, Denied: d.prober.Forbids,
			Links: linksFrom(d.config, d.detector),
		})
	} else {
		var reader *cluster.Reader
		if reader, err = cluster.NewReader(d.cluster, d.detector.KeepAnnotation, d.prober.Forbids); err != nil {
			return o.kube.failed(err)
		}
		reader.Links = linksFrom(d.config, d.detector)
		report, err = reader.List(ctx, d.only, d.known)
	}
	d.unread = report.Unread
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil: // the warnings no longer matter
		return err
	}
	for i := range report.Warnings {
		warn(o.streams, "%s", view.InputWarning(&report.Warnings[i]))
	}
	if report.Suppressed > 0 {
		warn(o.streams, "and %d more like these", report.Suppressed)
	}
	if d.cluster == nil && report.Services == 0 && (report.Skipped > 0 || report.Refused > 0) {
		return errors.New("no Services were read; kubectl get svc,endpointslices -A -o json gives what is needed")
	}
	return nil
}

// noteEmpty names the given namespaces that have no Services, because they may be misspelt: Namespace objects are not
// read. Warnings have already named the namespaces that the user may not read.
func (d *discovered) noteEmpty(s Streams) {
	for _, namespace := range d.only {
		if !slices.Contains(d.unread, namespace) && !d.known.HasNamespace(namespace) {
			note(s, "No Services in namespace %s.", namespace)
		}
	}
}

// openShift returns a function that reports whether the cluster is OpenShift. For files it decides by their namespaces.
// If the API server gives no answer, the cluster counts as OpenShift, because that is safe.
func openShift(ctx context.Context, config *rest.Config) func([]*backend.Finding) bool {
	if config == nil {
		return inventory.OpenShiftNamespaces
	}
	served, err := cluster.ServesRoutes(ctx, config)
	return func([]*backend.Finding) bool { return err != nil || served }
}
