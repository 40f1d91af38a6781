package cli

import (
	"net/netip"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/config"
)

// newAgent returns the client that asks HolmesGPT, nil if HolmesGPT is not asked.
func newAgent(
	options *serviceOptions, forbids func(netip.Addr) bool, report func(before, after *agent.Replica),
) *agent.Agent {
	c := options.Config
	switch {
	// One HolmesGPT reads a directory, and no Service tells which one.
	case options.DryRun, options.Directory != nil && c.HolmesGPT.URL == "":
		return nil
	case agentOff(c):
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
		namespace, name, _ := strings.Cut(service, "/")
		name, port, _ := strings.Cut(name, ":")
		number, _ := strconv.ParseInt(port, 10, 32) // the configuration was checked
		o.Service, o.Port = backend.Ref{Namespace: namespace, Name: name}, int32(number)
	}
	return o
}
