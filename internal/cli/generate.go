package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/doctor"
	"kubernaut.io/dynamic-toolset/internal/files"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

func newGenerate(streams Streams) *cobra.Command {
	o := &options{streams: streams}
	var key, overridesFile, output string
	var values bool
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Print the ConfigMap with the toolsets",
		Long: `Prints the ConfigMap that holds the toolsets: the HolmesGPT document under custom_toolset.yaml and the
compact form under <type>-toolset.yaml. Standard error lists the environment variables that HolmesGPT then needs, and
the backends that are left out.

A ConfigMap holds at most 1 MiB. A larger one is an error, which names the largest namespaces and types. With --key
only the size of that key counts.

With --values it prints the values for HolmesGPT's own chart instead: the mount, the settings, each variable that the
document refers to (from a Secret; comments show how to create it), certificate authorities, and OpenShift's settings.`,
		Example: `  kubectl get svc,endpointslices -A -o json | dynamic-toolset generate -f -
  dynamic-toolset generate --probe=proxy > configmap.yaml
  dynamic-toolset generate --probe=proxy --values > holmesgpt-values.yaml
  dynamic-toolset generate --probe=proxy --key custom_toolset.yaml --overrides overrides.yaml > custom_toolset.yaml`,
		Args: cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if values && (key != "" || output != "yaml") {
				return usage("--values prints values of HolmesGPT's chart instead of the ConfigMap: " +
					"leave out --key and -o")
			}
			return o.generate(cmd.Context(), key, overridesFile, output, values)
		},
	}
	o.addFlags(cmd)
	cmd.Flags().StringVar(&key, "key", "", "print only the text of this key, for example custom_toolset.yaml")
	cmd.Flags().StringVar(&overridesFile, "overrides", "", "merge this overrides file")
	addOutput(cmd, &output, "yaml", "json")
	cmd.Flags().BoolVar(&values, "values", false,
		"print values for HolmesGPT's chart, with which HolmesGPT can use the ConfigMap")
	return cmd
}

func (o *options) generate(ctx context.Context, key, overridesFile, output string, values bool) error {
	overrides, err := readOverrides(ctx, overridesFile)
	if err != nil {
		return err
	}
	d, err := o.discover(ctx, backend.Ref{})
	if err != nil {
		return err
	}
	doc, keys, err := d.document(overrides, false)
	if err != nil {
		return err
	}
	text, known := keys[key]
	if key != "" && !known {
		return fmt.Errorf("--key %s: not among what is generated, which is %s",
			key, strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
	}
	if err := checkSize(doc, keys, key); err != nil {
		return err
	}
	d.reportDocument(o.streams, doc)
	if values {
		return d.printValues(ctx, o.streams.Out, keys[toolset.KeyHolmesGPT])
	}
	if key != "" {
		_, err = fmt.Fprint(o.streams.Out, text)
		return err
	}
	object := d.configMap(keys)
	noteSize(o.streams, object)
	return printObject(o.streams, object, output)
}

// printValues prints the values that HolmesGPT's chart needs for a document.
func (d *discovered) printValues(ctx context.Context, out io.Writer, document string) error {
	v := view.Values{
		ConfigMap: backend.Ref{Namespace: d.config.Output.Namespace, Name: d.config.Output.ConfigMap},
		Needs:     doctor.NeedsOf(document), Findings: d.findings, Catalog: d.catalog,
	}
	if file := d.config.TLS.CAFile; file != "" {
		authority, err := readFile(ctx, "config tls.caFile", file)
		if err != nil {
			return err
		}
		v.Authority = authority
	}
	_, err := io.WriteString(out, v.YAML())
	return err
}

// readOverrides reads an overrides file. It returns nil if path is empty.
func readOverrides(ctx context.Context, path string) (*toolset.Overrides, error) {
	if path == "" {
		return nil, nil
	}
	data, err := readFile(ctx, "--overrides", path)
	if err != nil {
		return nil, err
	}
	return toolset.ParseOverrides(path, data)
}

// readFile reads a file that a flag or an argument names. Its errors name the flag and the file.
func readFile(ctx context.Context, flag, path string) ([]byte, error) {
	data, err := files.Await(ctx, func() ([]byte, error) { return os.ReadFile(path) })
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, path, yamlfile.Bare(err))
	}
	return data, nil
}

// document builds the document and its keys. inForce is true if a service has already accepted the overrides.
func (d *discovered) document(
	overrides *toolset.Overrides, inForce bool,
) (*toolset.Document, map[string]string, error) {
	if overrides != nil && !inForce {
		types := d.catalog.Types
		if err := overrides.Shared(d.findings, types, overrides.Fresh(nil, types)); err != nil {
			return nil, nil, err
		}
	}
	options := toolsetOptions(d.config, d.catalog)
	options.InForce = inForce
	doc, err := toolset.Build(d.findings, options, overrides)
	if err != nil {
		return nil, nil, err
	}
	keys, err := doc.Keys()
	return doc, keys, err
}

// configMap returns the ConfigMap as a tree: corev1.ConfigMap would print creationTimestamp: null.
func (d *discovered) configMap(keys map[string]string) any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": keys,
		"metadata": map[string]any{
			"name": d.config.Output.ConfigMap, "namespace": d.config.Output.Namespace, "labels": configMapLabels(),
		},
	}
}

func configMapLabels() map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":       "dynamic-toolset",
		"app.kubernetes.io/component":  "toolset-config",
		"app.kubernetes.io/part-of":    "kubernaut",
		"app.kubernetes.io/managed-by": "dynamic-toolset",
	}
}
