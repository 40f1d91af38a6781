package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
)

// options holds the flags of all commands that read Services.
type options struct {
	kube          kubeFlags
	allNamespaces bool
	files         []string
	configOptions
	probe string
	// recorded, if set, returns the primaries that a running service has recorded.
	recorded func(context.Context, *config.Config) (map[string]backend.Ref, error)
	// bridging, if set, carries the requests of the probe.
	bridging *bridging
	// published is the document of a running service, the zero value if not known.
	published agent.Document

	streams Streams
}

func (o *options) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil,
		"read Services and EndpointSlices from this file instead of a cluster, - for standard input (repeatable)")
	o.addNamespaces(cmd)
	f.StringVar(&o.probe, "probe", probeAuto,
		"probe the backends: direct, proxy (through the API server; needs get on services/proxy), off, "+
			"or auto: direct inside a pod of the same cluster, else off")
	completeValues(cmd, "probe", probeAuto, probeDirect, probeProxy, probeOff)
	o.configOptions.addFlags(cmd)
	o.kube.add(f, "30s") // kubectl has no timeout by default; one page of a list takes one or two seconds
	f.Lookup("namespace").Usage = "read only this namespace; with -f also the namespace of objects without one"
}

func (o *options) addNamespaces(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false,
		"read all namespaces, also if the configuration has discovery.namespaces")
}

// configOptions holds the flags of the configuration.
type configOptions struct {
	path string
	sets []string
}

func (o *configOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.path, "config", "", "configuration file (YAML)")
	cmd.Flags().StringArrayVar(&o.sets, "set", nil, "set one key of the configuration to a YAML value, "+
		"as in health.timeout=2s or 'discovery.namespaces=[a, b]' (repeatable)")
}

// load reads the configuration and the catalog. adjust can change the configuration's defaults. Invalid files of the
// catalog are left out with a warning.
func (o *configOptions) load(s Streams, adjust ...func(*config.Config)) (*config.Config, *catalog.Catalog, error) {
	c, types, _, err := o.loadAll(s, adjust...)
	return c, types, err
}

// loadAll does the same as load and also returns the errors of the files that were left out.
func (o *configOptions) loadAll(
	s Streams, adjust ...func(*config.Config),
) (*config.Config, *catalog.Catalog, []error, error) {
	c, err := config.Load(o.path, o.sets, adjust...)
	if err != nil {
		return nil, nil, nil, err
	}
	types, bad := catalog.Load(c.Catalog.Dir)
	if types == nil {
		return nil, nil, nil, errors.Join(bad...)
	}
	for _, err := range bad {
		for line := range strings.Lines(err.Error()) {
			warn(s, "catalog: %s", strings.TrimSpace(line))
		}
	}
	types.Tune(c.Types.Tunings())
	useOutside(c)
	return c, types, bad, nil
}

// namespaces returns the namespaces to read, empty for all, and the namespaces to leave out. -n wins over the
// configuration, and it also reads a namespace that the configuration leaves out.
func (o *options) namespaces(c *config.Config) (only, exclude []string) {
	switch {
	case o.kube.namespace() != "":
		return []string{o.kube.namespace()}, nil
	case o.allNamespaces:
		return nil, c.Discovery.ExcludeNamespaces
	}
	return c.Discovery.Namespaces, c.Discovery.ExcludeNamespaces
}

// addOutput adds the flag -o. The first of its values is the default, any other value a usage error.
func addOutput(cmd *cobra.Command, output *string, values ...string) {
	cmd.Flags().StringVarP(output, "output", "o", values[0], orList(values))
	completeValues(cmd, "output", values...)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(values, *output) {
			return usage("-o %s: expected %s", *output, orList(values))
		}
		return nil
	}
}

func completeValues(cmd *cobra.Command, flag string, values ...string) {
	// It fails only if the flag does not exist, which TestCompletion detects.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// warn prints a warning on standard error.
func warn(s Streams, format string, args ...any) {
	_, _ = fmt.Fprintf(s.Err, "warning: "+format+"\n", args...)
}

// note prints a line for people on standard error.
func note(s Streams, format string, args ...any) {
	_, _ = fmt.Fprintf(s.Err, format+"\n", args...)
}

// contextOf returns the command's context. It is never nil, unlike cmd.Context() before the command runs.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
