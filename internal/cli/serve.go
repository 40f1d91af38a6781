package cli

import (
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	servicepkg "kubernaut.io/dynamic-toolset/internal/service"
)

func newServe(streams Streams) *cobra.Command {
	o := &options{streams: streams, kube: genericclioptions.NewConfigFlags(true)}
	var dryRun, check bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Watch the cluster and keep the ConfigMap right",
		Long: `Watches the cluster's Services, proves the backends among them again and again, and keeps one ConfigMap up to date with the
toolsets. What an admin writes into its key overrides.yaml stays; what somebody breaks is repaired. Several replicas elect
one that writes. Runs until it is told to stop (SIGTERM, Ctrl-C).`,
		Example: `  dynamic-toolset serve --config config.yaml
  dynamic-toolset serve --dry-run --set log.format=text     # everything but writing
  dynamic-toolset serve --config config.yaml --check        # only check the configuration`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				if _, _, err := o.load(streams); err != nil {
					return err
				}
				note(streams, "the configuration is valid")
				return nil
			}
			return o.serve(cmd, dryRun)
		},
	}
	o.configOptions.addFlags(cmd)
	o.kube.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "do everything but write")
	cmd.Flags().BoolVar(&check, "check", false, "check the configuration and the catalog, and end")
	return cmd
}

func (o *options) serve(cmd *cobra.Command, dryRun bool) error {
	c, types, err := o.load(o.streams)
	if err != nil {
		return err
	}
	detector, err := detect.New(types, detect.Options{
		ClusterDomain:        c.ClusterDomain,
		TrustedNamespaces:    c.Security.TrustedNamespaces,
		AllowedEndpointHosts: c.Security.AllowedEndpointHosts,
	})
	if err != nil {
		return err
	}
	cluster, err := o.cluster()
	if err != nil {
		return err
	}
	if cluster.Timeout != 0 {
		return errors.New("--request-timeout: the watches of serve have no end; leave it out")
	}
	probing, err := probeOptions(c)
	if err != nil {
		return err
	}
	return servicepkg.Run(contextOf(cmd), servicepkg.Options{
		Config: c, Catalog: types, Detector: detector, Probe: probing, Cluster: cluster, DryRun: dryRun,
		Inventory: inventory.Options{Primary: refs(c.Primary), Credentials: credentials(c.Credentials)},
		Labels:    configMapLabels(), Version: buildVersion().Version, LogTo: o.streams.Err,
	})
}
