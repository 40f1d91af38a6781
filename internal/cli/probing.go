package cli

import (
	"net/http"
	"slices"
	"strings"

	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/bridge"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/files"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Values of --probe.
const (
	probeAuto   = "auto"
	probeDirect = "direct"
	probeProxy  = "proxy"
	probeOff    = "off"
)

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

// connect chooses the probe mode, and connects to the cluster unless Services are read from files.
func (o *options) connect() (mode string, kubeconfig *rest.Config, err error) {
	mode = o.probe
	if len(o.files) > 0 {
		if mode == probeAuto {
			mode = probeOff
		}
		return mode, nil, nil
	}
	if kubeconfig, err = o.cluster(); err != nil {
		return "", nil, err
	}
	switch {
	case mode != probeAuto:
	case cluster.Inside(kubeconfig):
		mode = probeDirect
	default:
		mode = probeOff
	}
	return mode, kubeconfig, nil
}

// newProber returns a prober for the mode. With probes off it only decides which addresses are denied.
func (o *options) newProber(mode string, c *config.Config, kubeconfig *rest.Config) (*probe.Prober, error) {
	if mode == probeOff {
		return probe.New(probe.Options{DenyCIDRs: c.Security.DenyCIDRs})
	}
	opts, err := probeOptions(c)
	if err != nil {
		return nil, err
	}
	switch {
	case o.bridging != nil:
		err = o.bridging.connect(kubeconfig, &opts)
	case mode == probeProxy:
		opts.RoundTripper, err = newServiceProxies(kubeconfig)
	}
	if err != nil {
		return nil, err
	}
	return probe.New(opts)
}

// newServiceProxies returns a function whose transport carries a candidate's requests through the API server.
func newServiceProxies(kubeconfig *rest.Config) (func(*backend.Candidate) http.RoundTripper, error) {
	proxies, err := bridge.ServiceProxies(kubeconfig)
	if err != nil {
		return nil, kubeconfigError(err)
	}
	return proxies, nil
}
