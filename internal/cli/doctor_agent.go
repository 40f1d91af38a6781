package cli

import (
	"context"

	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/doctor"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// askForDoctor is what the running HolmesGPT says of the document that is published; nil where there is none, or nobody asks.
func (o *options) askForDoctor(ctx context.Context, c *config.Config, kubeconfig *rest.Config, facts *doctor.Facts) (*view.Agent, error) {
	toolsets, generation := toolset.EntriesIn(facts.Document)
	if agentOff(c) || generation == "" {
		return nil, nil
	}
	prober, err := probe.New(probe.Options{DenyCIDRs: c.Security.DenyCIDRs})
	if err != nil {
		return nil, err
	}
	options := agentOptions(c)
	options.Namespace, options.Forbids = facts.ConfigMap.Namespace, prober.Forbids
	if options.URL == "" && !cluster.Inside() {
		proxies, err := newServiceProxies(kubeconfig)
		if err != nil {
			return nil, err
		}
		options.Proxy = agentProxy(proxies)
	}
	a := agent.New(options)
	if options.URL == "" {
		if err := tellServices(ctx, a, &options, kubeconfig); err != nil {
			return &view.Agent{Message: err.Error()}, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	state := a.Ask(ctx, agent.Document{Generation: generation, Toolsets: toolsets})
	made := view.NewAgent(&state)
	return &made, nil
}

// tellServices has an agent know the Services that may be HolmesGPT's.
func tellServices(ctx context.Context, a *agent.Agent, options *agent.Options, kubeconfig *rest.Config) error {
	reader, err := cluster.NewReader(kubeconfig, func(string) bool { return false }, options.Forbids)
	if err != nil {
		return kubeconfigError(err)
	}
	namespace := options.Namespace
	if options.Service != (backend.Ref{}) {
		namespace = options.Service.Namespace
	}
	known := store.New(store.Options{Relevant: a.Looks, SlicesOptional: true})
	if _, err := reader.List(ctx, []string{namespace}, known); err != nil {
		return err
	}
	for _, s := range known.Services() {
		service, endpoints := known.Get(s.Ref)
		a.Service(s.Ref, service, endpoints)
	}
	return nil
}
