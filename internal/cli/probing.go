package cli

import (
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Values of --probe.
const (
	probeAuto   = "auto"
	probeDirect = "direct"
	probeProxy  = "proxy"
	probeOff    = "off"
)

// check returns an error for flags that exclude each other.
func (o *options) check() error {
	if o.probe == probeProxy && len(o.files) > 0 {
		return usage("--probe=proxy goes through a cluster's API server and cannot be used with -f: try --probe=direct")
	}
	if o.allNamespaces && o.kube.namespace() != "" {
		return usage("-A and -n %s exclude each other", o.kube.namespace())
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
		if err = o.bridging.connect(kubeconfig, &opts); err != nil {
			err = o.kube.failed(err)
		}
	case mode == probeProxy:
		opts.RoundTripper, err = o.serviceProxies(kubeconfig)
	}
	if err != nil {
		return nil, err
	}
	return probe.New(opts)
}
