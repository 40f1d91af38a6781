package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/files"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Kinds of files that validate knows.
const (
	kindConfig    = "config"
	kindCatalog   = "catalog"
	kindOverrides = "overrides"
	kindDocument  = "document"
	kindConfigMap = "configmap"
)

var kinds = []string{kindConfig, kindCatalog, kindOverrides, kindDocument, kindConfigMap}

func newValidate(streams Streams) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "validate FILE",
		Short: "Check a configuration, a catalog type, overrides or a toolset document",
		Long: `Checks a file and writes nothing. The file's top-level keys, or --as, decide which kind it is:
  config      this program's configuration
  catalog     a backend type of your own
  overrides   an overrides.yaml
  document    a toolset file for HolmesGPT, also if written by hand
  configmap   the ConfigMap that generate prints: its document and its overrides`,
		Example: `  dynamic-toolset validate config.yaml
  kubectl -n kubernaut-system get configmap kubernaut-toolset-config -o yaml | dynamic-toolset validate -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return validate(cmd.Context(), streams, args[0], as)
		},
	}
	addChoice(cmd, &as, "as", "", "kind of the file: "+orList(kinds), kinds...)
	return cmd
}

func validate(ctx context.Context, s Streams, path, as string) error {
	name, data, err := readArgument(ctx, s, path)
	if err != nil {
		return err
	}
	if as == "" {
		if as, err = kindOf(name, data); err != nil {
			return err
		}
	}
	switch as {
	case kindConfig:
		_, err = config.Parse(name, data)
	case kindCatalog:
		_, err = catalog.Parse(name, data)
	case kindOverrides:
		err = validateOverrides(s, name, data)
	case kindDocument:
		err = validateDocument(s, name, data)
	case kindConfigMap:
		err = validateConfigMap(s, name, data)
	}
	if err != nil {
		return err
	}
	note(s, "%s: valid %s", name, as)
	return nil
}

func readArgument(ctx context.Context, s Streams, path string) (name string, data []byte, err error) {
	if path != "-" {
		data, err = readFile(ctx, "file", path)
		return path, data, err
	}
	const limit = 1 << 21
	data, err = files.Await(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(s.In, limit)) })
	if err != nil {
		return "", nil, fmt.Errorf("standard input: %w", err)
	}
	return "standard input", data, nil
}

// kindOf returns the kind of a file by its top-level keys. An unknown file counts as a configuration, because the
// reader of configurations reports misspelt keys best.
func kindOf(name string, data []byte) (string, error) {
	f, err := yamlfile.Parse(name, data)
	if err != nil {
		return "", err
	}
	keys := f.Keys() // the reader of that kind reports errors in it
	has := func(key string) bool { return slices.Contains(keys, key) }
	switch {
	case has("kind") && has("apiVersion"):
		return kindConfigMap, nil
	case catalog.IsType(f):
		return kindCatalog, nil
	case has("instances"), has("compact"), strings.Contains(filepath.Base(name), "override"):
		return kindOverrides, nil
	case has("toolsets"), has("mcp_servers"):
		return kindDocument, nil
	}
	return kindConfig, nil
}

func validateOverrides(s Streams, name string, data []byte) error {
	o, err := toolset.ParseOverrides(name, data)
	if err != nil {
		return err
	}
	for _, w := range view.DocumentWarnings(o.Warnings()) {
		warn(s, "%s", w)
	}
	if list := o.Addresses(); len(list) > 0 {
		const most = 5
		note(s, "%s: validate does not know whether these instances are published: %s. To find out, run generate "+
			"--overrides. Settings of an instance take effect once it is published.",
			name, strings.Join(list[:min(len(list), most)], ", "))
	}
	return nil
}

func validateDocument(s Streams, name string, data []byte) error {
	var bad yamlfile.Errors
	for _, p := range toolset.Validate(name, data) {
		switch p.Severity {
		case toolset.Error:
			bad = append(bad, p.Error)
		default:
			note(s, "%s: %s", p.Severity, p.Error.Error())
		}
	}
	if len(bad) > 0 {
		return bad
	}
	return nil
}

// validateConfigMap checks the texts inside a ConfigMap.
func validateConfigMap(s Streams, name string, data []byte) error {
	f, err := yamlfile.Parse(name, data)
	if err != nil {
		return err
	}
	var cm map[string]any
	f.Decode(&cm)
	if err := f.Err(); err != nil {
		return err
	}
	if kind, _ := cm["kind"].(string); kind != "ConfigMap" {
		return fmt.Errorf("%s: its kind is %s: expected a ConfigMap, or one of the other files that --help lists", name,
			strconv.Quote(safetext.Clean(kind, view.ShownText)))
	}
	texts, _ := cm["data"].(map[string]any)
	text, ok := texts[toolset.KeyHolmesGPT].(string)
	if !ok {
		return fmt.Errorf("%s: no key %s in it", name, toolset.KeyHolmesGPT)
	}
	err = validateDocument(s, name+", "+toolset.KeyHolmesGPT, []byte(text))
	if text, ok := texts[toolset.KeyOverrides].(string); ok {
		err = errors.Join(err, validateOverrides(s, name+", "+toolset.KeyOverrides, []byte(text)))
	}
	return err
}
