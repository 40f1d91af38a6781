package cli

import (
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
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkServe(o, &out); err != nil {
				return err
			}
			if check {
				c, _, leftOut, err := o.loadAll(streams, o.adjust()...)
				if err == nil && out.Path != "" {
					err = out.conflicts(c, len(o.files) > 0)
				}
				if err != nil {
					return err
				}
				if len(leftOut) > 0 {
					return errors.New("the catalog has files that would be left out (see above): correct them")
				}
				note(streams, "the configuration is valid")
				return nil
			}
			return o.serve(cmd, &out, dryRun)
		},
	}
	o.configOptions.addFlags(cmd)
	o.kube.add(cmd.Flags(), "0")
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
	return o.checkFiles()
}

// adjust returns a change of the defaults for a service without a cluster: without an API server there is no
// authentication.
func (o *options) adjust() []func(*config.Config) {
	if len(o.files) == 0 {
		return nil
	}
	return []func(*config.Config){func(c *config.Config) { c.Auth.Mode = config.AuthNone }}
}

func (o *options) serve(cmd *cobra.Command, out *directory, dryRun bool) error {
	c, types, err := o.load(o.streams, o.adjust()...)
	if err != nil {
		return err
	}
	detector, err := newDetector(c, types)
	if err != nil {
		return err
	}
	probing, err := probeOptions(c)
	if err != nil {
		return err
	}
	run := serviceOptions{
		Config: c, Catalog: types, Detector: detector, Probe: probing, DryRun: dryRun,
		Inventory: inventoryOptions(c), Labels: configMapLabels(),
		Version: buildVersion().Version, LogTo: o.streams.Err,
	}
	if out.Path != "" {
		if err := out.conflicts(c, len(o.files) > 0); err != nil {
			return err
		}
		run.Directory = out
	}
	if len(o.files) > 0 {
		run.Files = &serviceFiles{Names: o.files, Stdin: o.streams.In, Namespace: o.kube.namespace()}
		return runService(contextOf(cmd), run)
	}
	if run.Cluster, err = o.cluster(); err != nil {
		return err
	}
	if run.Cluster.Timeout != 0 {
		return errors.New("--request-timeout: the watches of serve have no end; leave it out")
	}
	return runService(contextOf(cmd), run)
}
