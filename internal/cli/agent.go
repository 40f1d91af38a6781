package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// newAgent returns the client with which the service asks HolmesGPT, nil if HolmesGPT is not asked.
func newAgent(
	options *serviceOptions, forbids func(netip.Addr) bool, report func(before, after *agent.Replica),
) *agent.Agent {
	c := options.Config
	// One HolmesGPT reads a directory, and no Service tells which one.
	if options.DryRun || options.Directory != nil && c.HolmesGPT.URL == "" || agentOff(c) {
		return nil
	}
	o := agentOptions(c)
	o.Forbids, o.Report = forbids, report
	return agent.New(o)
}

// agentOff reports whether the configuration disables requests to HolmesGPT.
func agentOff(c *config.Config) bool {
	return c.HolmesGPT.URL == "" && c.HolmesGPT.Service == config.ServiceOff
}

// agentOptions returns the location of HolmesGPT from the configuration.
func agentOptions(c *config.Config) agent.Options {
	o := agent.Options{
		URL: c.HolmesGPT.URL, Namespace: c.Output.Namespace,
		KeyFile: c.HolmesGPT.APIKeyFile, Interval: c.Health.Interval,
	}
	if service := c.HolmesGPT.Service; service != config.ServiceAuto && service != config.ServiceOff {
		named, port, _ := strings.Cut(service, ":")
		number, _ := strconv.ParseInt(port, 10, 32) // the configuration was checked
		o.Service, o.Port = ref(named), int32(number)
		o.Namespace = o.Service.Namespace
	}
	return o
}

// askTimeout is how long a command waits for HolmesGPT.
const askTimeout = 5 * time.Second

// askAgent asks the running HolmesGPT once for its state of a document, without a reload. Outside a pod of the cluster
// it asks through the API server's service proxy, unless the configuration has a URL. It returns nil if there is no
// HolmesGPT to ask. kubeconfig is nil without a cluster.
func (o *options) askAgent(
	ctx context.Context, c *config.Config, kubeconfig *rest.Config, document string,
) (*view.Agent, error) {
	options := agentOptions(c)
	if agentOff(c) || options.URL == "" && kubeconfig == nil {
		return nil, nil
	}
	prober, err := probe.New(probe.Options{DenyCIDRs: c.Security.DenyCIDRs})
	if err != nil {
		return nil, err
	}
	options.Forbids = prober.Forbids
	if options.URL == "" && !cluster.Inside(kubeconfig) {
		proxies, err := o.serviceProxies(kubeconfig)
		if err != nil {
			return nil, err
		}
		options.Proxy = agentProxy(proxies)
	}
	a := agent.New(options)
	if options.URL == "" {
		if err := o.findAgent(ctx, a, &options, kubeconfig); err != nil {
			return &view.Agent{Message: printable(err.Error())}, nil // shown as HolmesGPT's state
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	toolsets, generation := toolset.EntriesIn(document)
	state := a.Ask(ctx, agent.Document{Generation: generation, Toolsets: toolsets})
	out := view.NewAgent(&state)
	if len(out.Replicas) == 0 {
		out.Message = fmt.Sprintf("no HolmesGPT was found in namespace %s; if it runs elsewhere, "+
			"set holmesgpt.service or holmesgpt.url in the configuration", options.Namespace)
	}
	return &out, nil
}

// findAgent looks for HolmesGPT among the Services of its namespace.
func (o *options) findAgent(
	ctx context.Context, a *agent.Agent, options *agent.Options, kubeconfig *rest.Config,
) error {
	reader, err := cluster.NewReader(kubeconfig, func(string) bool { return false }, options.Forbids)
	if err != nil {
		return o.kube.failed(err)
	}
	known := store.New(store.Options{Relevant: a.Looks, SlicesOptional: true})
	if _, err := reader.List(ctx, []string{options.Namespace}, known); err != nil {
		return err
	}
	for _, s := range known.Services() {
		service, endpoints := known.Get(s.Ref)
		a.Service(s.Ref, service, endpoints)
	}
	return nil
}

// agentProxy carries requests to Services, named as NAME.NAMESPACE.svc:PORT, through the API server.
type agentProxy func(*backend.Candidate) http.RoundTripper

// RoundTrip implements http.RoundTripper.
func (p agentProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	name, rest, _ := strings.Cut(r.URL.Hostname(), ".")
	port, err := strconv.ParseInt(r.URL.Port(), 10, 32)
	if err != nil {
		return nil, agent.UnreachedError{Err: err}
	}
	c := &backend.Candidate{
		Service: &backend.Service{Ref: backend.Ref{Namespace: strings.TrimSuffix(rest, ".svc"), Name: name}},
		Port:    backend.Port{Number: int32(port)},
	}
	answer, err := p(c).RoundTrip(r)
	var own probe.ProxyError
	if errors.As(err, &own) {
		err = errors.New(proxyText(c, own))
	}
	if err != nil {
		return nil, agent.UnreachedError{Err: err}
	}
	return answer, nil
}

// proxyText describes why the API server could not reach a candidate.
func proxyText(c *backend.Candidate, own probe.ProxyError) string {
	return view.Observed(&backend.Finding{
		Ref: c.Service.Ref, Service: c.Service, Candidate: c, Observation: backend.Observation{Seen: own.Seen},
	})
}
