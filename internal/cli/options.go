package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/files"
)

// options holds the flags of all commands that read Services.
type options struct {
	kube          kubeFlags
	allNamespaces bool
	files         []string
	configOptions
	probe string
	live  liveMode
	// bridging, if set, carries the requests of the probe.
	bridging *bridging

	streams Streams
}

// liveMode tells whether a command reads the ConfigMap of a running service, and so has the same primaries.
type liveMode int

const (
	liveIgnored   liveMode = iota
	liveIfAllowed          // unless Services are read from files
	liveRequired
)

func (o *options) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	o.kube.instead = orFiles
	f.StringArrayVarP(&o.files, "filename", "f", nil,
		"read Services and EndpointSlices from this file instead of a cluster, - for standard input (repeatable)")
	o.addNamespaces(cmd)
	o.probe = probeAuto
	addChoice(cmd, &o.probe, "probe", "", "probe the backends: direct, proxy (through the API server; needs get on "+
		"services/proxy), off, or auto: direct inside a pod of the same cluster, else off",
		probeAuto, probeDirect, probeProxy, probeOff)
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
	path       string
	sets       []string
	adjust     []func(*config.Config) // changes of the configuration's defaults
	incomplete bool                   // load has left out a file of the catalog
}

func (o *configOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.path, "config", "", "configuration file (YAML)")
	cmd.Flags().StringArrayVar(&o.sets, "set", nil, "set one key of the configuration to a YAML value, "+
		"as in health.timeout=2s or 'discovery.namespaces=[a, b]' (repeatable)")
}

// load reads the configuration and the catalog. Invalid files of the catalog are left out with a warning.
func (o *configOptions) load(ctx context.Context, s Streams) (*config.Config, *catalog.Catalog, error) {
	c, err := files.Await(ctx, func() (*config.Config, error) { return config.Load(o.path, o.sets, o.adjust...) })
	if err != nil {
		return nil, nil, err
	}
	types, bad := catalog.Load(c.Catalog.Dir)
	if types == nil {
		return nil, nil, errors.Join(bad...)
	}
	o.incomplete = len(bad) > 0
	for _, err := range bad {
		for line := range strings.Lines(err.Error()) {
			warn(s, "catalog: %s", strings.TrimSpace(line))
		}
	}
	types.Tune(c.Types.Tunings())
	useOutside(c)
	return c, types, nil
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

// choice is a flag that takes one of several values.
type choice struct {
	value  *string
	values []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "string" }

// Set implements pflag.Value.
func (c *choice) Set(v string) error {
	if !slices.Contains(c.values, v) {
		return fmt.Errorf("expected %s", orList(c.values))
	}
	*c.value = v
	return nil
}

func addChoice(cmd *cobra.Command, value *string, flag, short, usage string, values ...string) {
	cmd.Flags().VarP(&choice{value, values}, flag, short, usage)
	// It fails only if the flag does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// addOutput adds the flag -o. The first of its values is the default.
func addOutput(cmd *cobra.Command, output *string, values ...string) {
	*output = values[0]
	addChoice(cmd, output, "output", "o", orList(values), values...)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// warn prints a warning on standard error.
func warn(s Streams, format string, args ...any) {
	_, _ = fmt.Fprintln(s.Err, printable(fmt.Sprintf("warning: "+format, args...)))
}

// printable replaces control characters, except line breaks: a text can come from a server, and a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return ' '
		}
		return r
	}, s)
}

// note prints a line for people on standard error.
func note(s Streams, format string, args ...any) {
	_, _ = fmt.Fprintf(s.Err, format+"\n", args...)
}
