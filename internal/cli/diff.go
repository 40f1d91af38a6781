package cli

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func newDiff(streams Streams) *cobra.Command {
	o := &options{streams: streams, live: liveRequired}
	var overridesFile string
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Compare what would be written with the cluster's ConfigMap",
		Long: `Compares the toolsets that would be written now with the toolsets in the cluster's ConfigMap, and
prints the difference: "-" is in the cluster, "+" would be written. It keeps the primaries that a running service has
recorded in the ConfigMap, as the service does. The overrides in the ConfigMap are merged, unless --overrides names a
file. Invalid overrides are an error; a running service keeps the last valid overrides.
Exit code 0: no difference, 1: different, 2 and above: an error.`,
		Example: `  dynamic-toolset diff --probe=proxy
  helm template observability ./charts | dynamic-toolset diff -f - -n monitoring`,
		Args: cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			different, err := o.diff(cmd.Context(), overridesFile)
			if err != nil {
				// An error with another code must not read as "different".
				return failure{error: err, code: exitUsage}
			}
			if different {
				return failure{error: errors.New("different"), code: 1, silent: true}
			}
			return nil
		},
	}
	o.addFlags(cmd)
	o.kube.instead = "" // the ConfigMap is the cluster's
	cmd.Flags().StringVar(&overridesFile, "overrides", "", "merge this overrides file instead of the cluster's")
	return cmd
}

func (o *options) diff(ctx context.Context, overridesFile string) (bool, error) {
	overrides, err := readOverrides(ctx, overridesFile)
	if err != nil {
		return false, err
	}
	d, err := o.discover(ctx, backend.Ref{})
	if err != nil {
		return false, err
	}
	live := d.live
	where := d.config.Output.Namespace + "/" + d.config.Output.ConfigMap
	if text := live[toolset.KeyOverrides]; overridesFile == "" && text != "" {
		source := "ConfigMap " + where + ", " + toolset.KeyOverrides
		if overrides, err = toolset.ParseOverrides(source, []byte(text)); err != nil {
			return false, err
		}
	}
	state, err := publish.DecodeState(live[toolset.KeyState])
	inForce := err == nil && overridesFile == "" && state.Overrides == live[toolset.KeyOverrides]
	_, keys, err := d.document(overrides, inForce)
	if err != nil {
		return false, err
	}
	var recorded []string
	if state != nil {
		recorded = state.Keys
	}
	for name := range d.config.Output.Keys {
		if text, there := live[name]; there && !toolset.Generated(text) && !slices.Contains(recorded, name) {
			delete(keys, name) // the key belongs to another writer
		}
	}
	return printDiff(o.streams.Out, live, keys, recorded)
}

// printDiff prints the differences of the generated keys, including keys that would be removed.
func printDiff(out io.Writer, live, wanted map[string]string, recorded []string) (different bool, err error) {
	names := slices.Collect(maps.Keys(wanted))
	for k := range live {
		ours := toolset.OwnedKey(k) || slices.Contains(recorded, k) && toolset.Generated(live[k])
		if _, ok := wanted[k]; !ok && ours && k != toolset.KeyState {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	paint := newPainter(out)
	for _, k := range names {
		text := udiff.Unified(k+" (cluster)", k+" (would be written)", live[k], wanted[k])
		if text == "" {
			continue
		}
		different = true
		if _, err := io.WriteString(out, paint.diff(text)); err != nil {
			return true, err
		}
	}
	return different, nil
}

func (p painter) diff(text string) string {
	var painted strings.Builder
	for line := range strings.Lines(text) {
		switch line[0] {
		case '+':
			line = p.paint(line, color.FgGreen)
		case '-':
			line = p.paint(line, color.FgRed)
		}
		painted.WriteString(line)
	}
	return painted.String()
}
