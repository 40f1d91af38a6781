package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
)

// options are the flags that all commands which look at Services have.
type options struct {
	kube          *genericclioptions.ConfigFlags
	allNamespaces bool
	files         []string
	configOptions
	probe string

	streams Streams
}

func (o *options) addFlags(cmd *cobra.Command) {
	o.kube = genericclioptions.NewConfigFlags(true)
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "read Services and EndpointSlices from this file instead of a cluster, - for standard input (repeatable)")
	f.BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "look at all namespaces, whatever discovery.namespaces says")
	f.StringVar(&o.probe, "probe", probeAuto, "ask the backends: direct, proxy (through the API server), off, or auto: direct inside a pod, else off")
	o.configOptions.addFlags(cmd)
	o.kube.AddFlags(f)
	f.Lookup("namespace").Usage = "look at this namespace alone; with -f also the namespace of objects that name none"
}

// configOptions are the flags of the configuration.
type configOptions struct {
	path string
	sets []string
}

func (o *configOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.path, "config", "", "configuration file")
	cmd.Flags().StringArrayVar(&o.sets, "set", nil, "set one key of the configuration, as in health.timeout=2s (repeatable)")
}

// load reads the configuration and the catalog. Bad files of the catalog are told and left out.
func (o *configOptions) load(s Streams) (*config.Config, *catalog.Catalog, error) {
	c, err := config.Load(o.path, o.sets)
	if err != nil {
		return nil, nil, err
	}
	types, bad := catalog.Load(c.Catalog.Dir)
	if types == nil {
		return nil, nil, errors.Join(bad...)
	}
	for _, err := range bad {
		warn(s, "catalog: %v", err)
	}
	return c, types, nil
}

// namespaces to look at: what -n says, else what the configuration says. None means all.
func (o *options) namespaces(c *config.Config) []string {
	switch {
	case *o.kube.Namespace != "":
		return []string{*o.kube.Namespace}
	case o.allNamespaces:
		return nil
	}
	return c.Discovery.Namespaces
}

// cluster is the connection that kubeconfig and flags describe, or that a pod has.
func (o *options) cluster() (*rest.Config, error) {
	c, err := o.kube.ToRESTConfig()
	if err != nil {
		return nil, kubeconfigError(err)
	}
	if o.noClusterNamed() && c.Host == "http://localhost:8080" {
		return nil, errors.New("no cluster: there is no kubeconfig (KUBECONFIG or ~/.kube/config) and this is not a pod; name one with --kubeconfig, or read files with -f")
	}
	c.UserAgent = rest.DefaultKubernetesUserAgent()
	c.QPS, c.Burst = -1, -1 // one reader that pages: the API server's own fairness is enough
	return c, nil
}

// noClusterNamed: client-go falls back to localhost:8080 where nobody named a cluster, which helps nobody.
func (o *options) noClusterNamed() bool {
	return *o.kube.APIServer == "" && os.Getenv("KUBERNETES_MASTER") == ""
}

func kubeconfigError(err error) error {
	switch path := (*fs.PathError)(nil); {
	case clientcmd.IsEmptyConfig(err):
		return errors.New("no cluster: the kubeconfig is empty; name another with --kubeconfig, or read files with -f")
	case errors.As(err, &path):
		return fmt.Errorf("kubeconfig %s: %w; name another with --kubeconfig, or read files with -f", path.Path, path.Err)
	}
	return fmt.Errorf("kubeconfig: %s; mend it, name another with --kubeconfig, or read files with -f", oneLine(err.Error()))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// warn tells a person something on standard error that does not stop the command.
func warn(s Streams, format string, args ...any) {
	fmt.Fprintf(s.Err, "warning: "+format+"\n", args...)
}

// note tells a person something on standard error.
func note(s Streams, format string, args ...any) {
	fmt.Fprintf(s.Err, format+"\n", args...)
}

// contextOf is never nil, unlike a command's own before it runs.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
