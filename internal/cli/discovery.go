package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

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
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Values of --probe.
const (
	probeAuto   = "auto"
	probeDirect = "direct"
	probeProxy  = "proxy"
	probeOff    = "off"
)

var errInterrupted = errors.New("interrupted")

// discovered is what a command shows of.
type discovered struct {
	config    *config.Config
	catalog   *catalog.Catalog
	detector  *detect.Detector
	known     *store.Store
	findings  []*backend.Finding
	probed    bool
	fromFiles bool
	only      []string // namespaces that were looked at; none: all
	exclude   []string // namespaces that were left out
}

// discover runs the stages: read, detect, probe, decide. whole, where not empty, is a Service to keep even if it is
// nothing; only its namespace is probed then.
func (o *options) discover(ctx context.Context, whole backend.Ref) (*discovered, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	c, types, err := o.load(o.streams)
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
	only, exclude := o.namespaces(c)
	prober, err := newProber(mode, c, cluster)
	if err != nil {
		return nil, err
	}
	denier, err := probe.New(probe.Options{DenyCIDRs: c.Security.DenyCIDRs})
	if err != nil {
		return nil, err
	}
	known := store.New(store.Options{
		Relevant:   func(s *backend.Service) bool { return s.Ref == whole || detector.Matters(s) },
		Namespaces: only, Exclude: exclude, SlicesOptional: true,
	})
	report, err := o.read(ctx, only, files.ReadOptions{
		KeepAnnotation: detector.KeepAnnotation, Denied: denier.Forbids,
	}, cluster, known)
	if err != nil {
		return nil, err
	}
	explains := whole != (backend.Ref{})
	if !explains { // which tells more about a Service that is not there
		noteEmpty(o.streams, only, report.Unread, known)
	}
	if prober == nil && known.Count() > 0 && o.probe == probeAuto && cluster != nil {
		note(o.streams, "not probed: a cluster's own addresses cannot be reached from outside; --probe=proxy asks through the API server")
	}
	var recorded map[string]backend.Ref
	if o.recorded != nil {
		if recorded, err = o.recorded(ctx, c); err != nil {
			return nil, err
		}
	}
	bar := newProgress(o.streams.Err)
	decide := inventoryOptions(c)
	decide.Recorded = recorded
	if decide.OpenShift == nil {
		decide.OpenShift = o.openShift(ctx, cluster)
	}
	pass := controller.Pass{
		Catalog: types, Detector: detector, Prober: prober, Denied: denier.Denied, Progress: bar.show,
		Inventory: decide,
	}
	if explains {
		pass.ProbeOnly = func(c *backend.Candidate) bool { return c.Service.Namespace == whole.Namespace }
	}
	findings, err := pass.Run(ctx, known)
	bar.clear()
	if err != nil {
		return nil, errInterrupted
	}
	d := &discovered{
		config: c, catalog: types, detector: detector, known: known, findings: findings,
		probed: prober != nil, fromFiles: cluster == nil, only: only, exclude: exclude,
	}
	d.tellMisnamed(o, decide.Primary, report.Unread)
	if explains { // it tells that it was forbidden as well as anything
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

func (o *options) check() error {
	if modes := []string{probeAuto, probeDirect, probeProxy, probeOff}; !slices.Contains(modes, o.probe) {
		return usage("--probe=%s: expected %s", o.probe, strings.Join(modes, ", "))
	}
	if o.probe == probeProxy && len(o.files) > 0 {
		return usage("--probe=proxy goes through a cluster's API server and cannot be used with -f: try --probe=direct")
	}
	if err := o.checkFiles(); err != nil {
		return err
	}
	if o.allNamespaces && o.kube.namespace() != "" {
		return usage("-A and -n %s exclude each other", o.kube.namespace())
	}
	return nil
}

func (o *options) checkFiles() error {
	if slices.Contains(o.files, "") {
		return usage("-f: the file's name is empty")
	}
	stdin := func(path string) bool { return path == files.Stdin }
	if i := slices.IndexFunc(o.files, stdin); i >= 0 && slices.ContainsFunc(o.files[i+1:], stdin) {
		return usage("-f - is given twice: standard input can be read once only")
	}
	return nil
}

// connect decides how to probe, and connects to the cluster where it is needed.
func (o *options) connect() (mode string, cluster *rest.Config, err error) {
	mode = o.probe
	if len(o.files) > 0 {
		if mode == probeAuto {
			mode = probeOff
		}
		return mode, nil, nil
	}
	if cluster, err = o.cluster(); err != nil {
		return "", nil, err
	}
	if mode == probeAuto {
		mode = probeOff
		if _, err := rest.InClusterConfig(); err == nil {
			mode = probeDirect
		}
	}
	return mode, cluster, nil
}

func newProber(mode string, c *config.Config, cluster *rest.Config) (controller.Prober, error) {
	if mode == probeOff {
		return nil, nil
	}
	opts, err := probeOptions(c)
	if err != nil {
		return nil, err
	}
	if mode == probeProxy {
		transport, err := rest.TransportFor(cluster)
		if err != nil {
			return nil, kubeconfigError(err)
		}
		base, _, err := rest.DefaultServerUrlFor(cluster)
		if err != nil {
			return nil, kubeconfigError(err)
		}
		opts.RoundTripper = func(c *backend.Candidate) http.RoundTripper {
			return &serviceProxy{base: base, next: transport, candidate: c}
		}
	}
	return probe.New(opts)
}

// newDetector recognises what the catalog has, and takes from annotations what the configuration lets them say.
func newDetector(c *config.Config, types *catalog.Catalog) (*detect.Detector, error) {
	return detect.New(types, detect.Options{
		ClusterDomain:        cmp.Or(c.ClusterDomain, cluster.Domain(cluster.ResolvConf)),
		TrustedNamespaces:    c.Security.TrustedNamespaces,
		OnlyTrusted:          c.Security.Annotations == config.AnnotationsTrusted,
		AllowedEndpointHosts: c.Security.AllowedEndpointHosts,
		Tenants:              byService(c.Tenants),
	})
}

// probeOptions is what the configuration says about probing.
func probeOptions(c *config.Config) (probe.Options, error) {
	roots, err := rootCAs(c.TLS.CAFile)
	if err != nil {
		return probe.Options{}, err
	}
	unchecked := refSet(c.TLS.InsecureSkipVerify)
	return probe.Options{
		Timeout: c.Health.Timeout, Tries: c.Health.Tries, Concurrency: c.Health.Concurrency,
		DenyCIDRs: c.Security.DenyCIDRs, RootCAs: roots,
		Insecure: func(r backend.Ref) bool { return unchecked[r] },
	}, nil
}

// rootCAs are the system's and those of the file.
func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("config tls.caFile %s: %w", file, yamlfile.Bare(err))
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("config tls.caFile %s: no certificate in it: expected PEM, with -----BEGIN CERTIFICATE-----", file)
	}
	return pool, nil
}

func (o *options) read(ctx context.Context, namespaces []string, opts files.ReadOptions, config *rest.Config, sink store.Sink) (store.Report, error) {
	opts.Namespace = o.kube.namespace()
	var report store.Report
	var err error
	if config == nil {
		report, err = files.Read(ctx, o.files, o.streams.In, sink, opts)
	} else {
		var reader *cluster.Reader
		if reader, err = cluster.NewReader(config, opts.KeepAnnotation, opts.Denied); err != nil {
			return report, kubeconfigError(err)
		}
		report, err = reader.List(ctx, namespaces, sink)
	}
	switch {
	case ctx.Err() != nil:
		return report, errInterrupted
	case err != nil: // says it all: what else was noticed on the way there is no longer of interest
		return report, err
	case config == nil && report.Services == 0 && len(report.Warnings) > 0 && (len(report.Skipped) > 0 || report.Refused > 0):
		return report, errors.New(report.Warnings[len(report.Warnings)-1].String() + "; kubectl get svc,endpointslices -A -o json gives what is needed")
	}
	for _, w := range report.Warnings {
		warn(o.streams, "%s", w)
	}
	if report.Suppressed > 0 {
		warn(o.streams, "and %d more like these", report.Suppressed)
	}
	return report, nil
}

// noteEmpty tells of namespaces that somebody named and that have no Services, as they may be misspelt. Namespaces themselves
// are not read, and of the unread ones it was told already.
func noteEmpty(s Streams, named, unread []string, c *store.Store) {
	for _, namespace := range named {
		if !slices.Contains(unread, namespace) && !c.HasNamespace(namespace) {
			note(s, "No Services in namespace %s.", namespace)
		}
	}
}

// inventoryOptions is what the configuration decides about backends. Whether HolmesGPT runs on OpenShift is left open where
// the configuration leaves it open.
func inventoryOptions(c *config.Config) inventory.Options {
	o := inventory.Options{
		Primary: refs(c.Primary), Credentials: byService(c.Credentials),
		TrustedNamespaces: c.Security.TrustedNamespaces, MaxPerNamespace: c.Security.MaxInstancesPerNamespace,
	}
	if c.HolmesGPT.OpenShift != config.OpenShiftAuto {
		o.OpenShift = func([]*backend.Finding) bool { return c.HolmesGPT.OpenShift == config.OpenShiftTrue }
	}
	return o
}

// openShift finds out whether the cluster is OpenShift, files by their namespaces. Where a cluster does not say, it counts as
// one, which is the safe answer.
func (o *options) openShift(ctx context.Context, config *rest.Config) func([]*backend.Finding) bool {
	if config == nil {
		return inventory.OpenShiftNamespaces
	}
	served, err := cluster.ServesRoutes(ctx, config)
	return func([]*backend.Finding) bool { return err != nil || served }
}

// refs and byService turn the configuration's namespace/name into references; it has checked them.
func refs(m map[string]string) map[string]backend.Ref {
	out := make(map[string]backend.Ref, len(m))
	for k, v := range m {
		out[k] = ref(v)
	}
	return out
}

func byService[V any](m map[string]map[string]V) map[string]map[backend.Ref]V {
	out := make(map[string]map[backend.Ref]V, len(m))
	for typ, instances := range m {
		out[typ] = map[backend.Ref]V{}
		for name, v := range instances {
			out[typ][ref(name)] = v
		}
	}
	return out
}

func refSet(list []string) map[backend.Ref]bool {
	set := make(map[backend.Ref]bool, len(list))
	for _, v := range list {
		set[ref(v)] = true
	}
	return set
}

func ref(v string) backend.Ref {
	namespace, name, _ := strings.Cut(v, "/")
	return backend.Ref{Namespace: namespace, Name: name}
}
