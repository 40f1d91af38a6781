package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
)

// options are the flags that all commands which look at Services have.
type options struct {
	kube          kubeFlags
	allNamespaces bool
	files         []string
	configOptions
	probe string
	// recorded, if set, returns the primaries so far, which a running service keeps.
	recorded func(context.Context, *config.Config) (map[string]backend.Ref, error)
	// bridging, if set, carries the probe's requests.
	bridging *bridging
	// published is the document of a running service, the zero value if not known.
	published agent.Document

	streams Streams
}

func (o *options) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "read Services and EndpointSlices from this file instead of a cluster, - for standard input (repeatable)")
	o.addNamespaces(cmd)
	f.StringVar(&o.probe, "probe", probeAuto, "ask the backends: direct, proxy (through the API server, for which you need get on services/proxy), off, or auto: direct inside a pod, else off")
	o.configOptions.addFlags(cmd)
	o.kube.add(f, "30s") // kubectl waits for ever by default; a page of a List takes a second or two
	f.Lookup("namespace").Usage = "look at this namespace alone; with -f also the namespace of objects that name none"
}

func (o *options) addNamespaces(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "look at all namespaces, whatever the configuration's discovery.namespaces says")
}

// configOptions are the flags of the configuration.
type configOptions struct {
	path string
	sets []string
}

func (o *configOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.path, "config", "", "configuration file (YAML)")
	cmd.Flags().StringArrayVar(&o.sets, "set", nil, "set one key of the configuration to a YAML value, as in health.timeout=2s or 'discovery.namespaces=[a, b]' (repeatable)")
}

// load reads the configuration, over defaults that adjust may change, and the catalog. Bad files of the catalog are
// reported and left out.
func (o *configOptions) load(s Streams, adjust ...func(*config.Config)) (*config.Config, *catalog.Catalog, error) {
	c, types, _, err := o.loadAll(s, adjust...)
	return c, types, err
}

// loadAll is load which also returns what was left out, after it was reported.
func (o *configOptions) loadAll(s Streams, adjust ...func(*config.Config)) (*config.Config, *catalog.Catalog, []error, error) {
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

// namespaces to look at, none meaning all, and those to leave out: what -n says, else what the configuration says.
// What is left out is left out of a look at the whole cluster; a namespace that is named is meant.
func (o *options) namespaces(c *config.Config) (only, exclude []string) {
	switch {
	case o.kube.namespace() != "":
		return []string{o.kube.namespace()}, nil
	case o.allNamespaces:
		return nil, c.Discovery.ExcludeNamespaces
	}
	return c.Discovery.Namespaces, c.Discovery.ExcludeNamespaces
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

// contextOf is never nil, unlike a command's own before it runs.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
