package cli

import (
	"net/netip"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/config"
)

// newAgent makes the one that asks HolmesGPT; nil where nobody does.
func newAgent(options *serviceOptions, forbids func(netip.Addr) bool, report func(before, after *agent.Replica)) *agent.Agent {
	c := options.Config
	o := agent.Options{
		URL: c.HolmesGPT.URL, Namespace: c.Output.Namespace, KeyFile: c.HolmesGPT.APIKeyFile, Interval: c.Health.Interval,
		Forbids: forbids, Report: report,
	}
	switch service := c.HolmesGPT.Service; {
	case options.DryRun, options.Directory != nil && o.URL == "": // a directory is one HolmesGPT's, and no Service says whose
		return nil
	case o.URL != "", service == config.ServiceAuto:
	case service == config.ServiceOff:
		return nil
	default:
		namespace, name, _ := strings.Cut(service, "/")
		name, port, _ := strings.Cut(name, ":")
		number, _ := strconv.ParseInt(port, 10, 32) // the configuration was checked
		o.Service, o.Port = backend.Ref{Namespace: namespace, Name: name}, int32(number)
	}
	return agent.New(o)
}
