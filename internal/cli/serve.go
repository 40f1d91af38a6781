package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/config"
)

func newServe(streams Streams) *cobra.Command {
	o := &options{streams: streams}
	var dryRun, check bool
	var out directory
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Watch the cluster and keep the ConfigMap up to date",
		Long: `Watches the cluster's Services, probes the backends among them regularly, and keeps one ConfigMap with
the toolsets up to date. An admin's text in its key overrides.yaml stays; other changes are repaired. Several replicas
elect a leader, which writes. It runs until a signal stops it (SIGTERM, Ctrl-C). The page and the API are at the
configuration's server.address (:8080), the metrics at metrics.address (:9090).

With --out the keys of the ConfigMap become files in a directory, and there is no election. Use it beside one HolmesGPT,
as a sidecar of its pod that shares a volume with it; holmesgpt.url is the address of that HolmesGPT. The admin's
overrides are the file overrides.yaml in the directory, or the file that --overrides names.

With -f and --out it runs without a cluster: it reads Services from files and follows their changes.`,
		Example: `  dynamic-toolset serve --config config.yaml
  dynamic-toolset serve --dry-run --set log.format=text     # everything but writing
  dynamic-toolset serve --config config.yaml --check        # only check the configuration
  dynamic-toolset serve --out /shared --set holmesgpt.url=http://127.0.0.1:5050   # as a sidecar
  dynamic-toolset serve -f services.yaml --out toolsets     # without a cluster`,
		Args: cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.serve(cmd.Context(), &out, dryRun, check)
		},
	}
	o.configOptions.addFlags(cmd)
	o.kube.add(cmd.Flags(), "0")
	o.kube.instead = orFiles
	cmd.Flags().Lookup("namespace").Usage = "with -f the namespace of objects without one"
	cmd.Flags().StringArrayVarP(&o.files, "filename", "f", nil, "read Services and EndpointSlices from this file, "+
		"which is followed, instead of a cluster (repeatable; needs --out)")
	cmd.Flags().StringVar(&out.Path, "out", "", "write the keys as files into this directory, instead of a ConfigMap")
	cmd.Flags().StringVar(&out.Overrides, "overrides", "", "with --out: the file with the admin's overrides, "+
		"which is followed (default overrides.yaml in that directory)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "do everything but write")
	cmd.Flags().BoolVar(&check, "check", false, "check the configuration and the catalog, then exit")
	return cmd
}

func checkServe(o *options, out *directory) error {
	switch {
	case len(o.files) > 0 && out.Path == "":
		return usage("-f needs --out: the directory for what is written")
	case out.Overrides != "" && out.Path == "":
		return usage("--overrides needs --out; without it the overrides are the key overrides.yaml of the ConfigMap")
	case len(o.files) == 0 && o.kube.namespace() != "":
		return usage("-n: serve watches the namespaces that the configuration names; "+
			"try --set discovery.namespaces=[%s]", o.kube.namespace())
	}
	return nil
}

// serve runs the service, or only checks its configuration.
func (o *options) serve(ctx context.Context, out *directory, dryRun, check bool) error {
	if err := checkServe(o, out); err != nil {
		return err
	}
	if len(o.files) > 0 { // without an API server there is no authentication
		o.adjust = append(o.adjust, func(c *config.Config) { c.Auth.Mode = config.AuthNone })
	}
	c, types, err := o.load(ctx, o.streams)
	if err == nil && out.Path != "" {
		err = out.conflicts(c, len(o.files) > 0)
	}
	switch {
	case err != nil:
		return err
	case check && o.incomplete:
		return errors.New("the catalog has files that would be left out (see above): correct them")
	case check:
		note(o.streams, "the configuration is valid")
		return nil
	}
	detector, err := newDetector(c, types)
	if err != nil {
		return err
	}
	probing, err := probeOptions(c)
	if err != nil {
		return err
	}
	version, _ := buildVersion()
	run := serviceOptions{
		Config: c, Catalog: types, Detector: detector, Probe: probing, DryRun: dryRun,
		Inventory: inventoryOptions(c), Labels: configMapLabels(), Version: version, LogTo: o.streams.Err,
	}
	if out.Path != "" {
		run.Directory = out
	}
	if len(o.files) > 0 {
		run.Files = &serviceFiles{Names: o.files, Stdin: o.streams.In, Namespace: o.kube.namespace()}
		return runService(ctx, run)
	}
	if run.Cluster, err = o.cluster(); err != nil {
		return err
	}
	if run.Cluster.Timeout != 0 {
		return errors.New("--request-timeout: the watches of serve have no end; leave it out")
	}
	return runService(ctx, run)
}
