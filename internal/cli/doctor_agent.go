package cli

import (
	"cmp"
	"context"

	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/doctor"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// askForDoctor asks the running HolmesGPT for its state of the published document. It returns nil if no toolsets are
// known to be published, of which the checks say why, or if the configuration disables the requests.
func (o *options) askForDoctor(
	ctx context.Context, c *config.Config, kubeconfig *rest.Config, facts *doctor.Facts,
) (*view.Agent, error) {
	toolsets, generation := toolset.EntriesIn(facts.Document)
	if agentOff(c) || len(toolsets) == 0 && generation == "" {
		return nil, nil
	}
	prober, err := probe.New(probe.Options{DenyCIDRs: c.Security.DenyCIDRs})
	if err != nil {
		return nil, err
	}
	options := agentOptions(c)
	options.Namespace, options.Forbids = facts.ConfigMap.Namespace, prober.Forbids
	if options.URL == "" && !cluster.Inside(kubeconfig) {
		proxies, err := newServiceProxies(kubeconfig)
		if err != nil {
			return nil, err
		}
		options.Proxy = agentProxy(proxies)
	}
	a := agent.New(options)
	known := store.New(store.Options{Relevant: a.Looks, SlicesOptional: true})
	if options.URL == "" {
		if err := readServices(ctx, known, &options, kubeconfig); err != nil {
			return &view.Agent{Message: err.Error()}, nil //nolint:nilerr // doctor shows the error as one of its lines
		}
	}
	made := askOnce(ctx, a, known, agent.Document{Generation: generation, Toolsets: toolsets})
	if len(made.Replicas) == 0 {
		made.Message = noAgentIn(cmp.Or(options.Service.Namespace, options.Namespace)) + runsElsewhere
	}
	return &made, nil
}

// readServices lists the Services of HolmesGPT's namespace.
func readServices(ctx context.Context, known *store.Store, options *agent.Options, kubeconfig *rest.Config) error {
	reader, err := cluster.NewReader(kubeconfig, func(string) bool { return false }, options.Forbids)
	if err != nil {
		return kubeconfigError(err)
	}
	_, err = reader.List(ctx, []string{cmp.Or(options.Service.Namespace, options.Namespace)}, known)
	return err
}
