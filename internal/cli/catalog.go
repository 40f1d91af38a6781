package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

func newCatalog(streams Streams) *cobra.Command {
	o := &configOptions{}
	cmd := &cobra.Command{
		Use:   "catalog [TYPE]",
		Short: "List the backend types, or print the file of one",
		Long: `Lists the backend types, including your own (config catalog.dir). With a type it prints the type's file:
the signs by which it is recognised, the look-alikes that are rejected, the port that is chosen, the proof, and what is
written for it. You can change the file and put it into your own catalog.`,
		Example: `  dynamic-toolset catalog
  dynamic-toolset catalog grafana > grafana.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, types, err := o.load(cmd.Context(), streams)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return listTypes(streams, types)
			}
			t := types.Lookup(args[0])
			if t == nil {
				return unknownType(args[0], types)
			}
			_, err = streams.Out.Write(t.Source())
			return err
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			types, err := catalog.Builtin()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return typeNames(types), cobra.ShellCompDirectiveNoFileComp
		},
	}
	o.addFlags(cmd)
	return cmd
}

func typeNames(c *catalog.Catalog) []string {
	var names []string
	for _, t := range c.Types {
		names = append(names, t.Type)
	}
	return names
}

func unknownType(name string, c *catalog.Catalog) error {
	hint := "known are " + strings.Join(typeNames(c), ", ")
	if near := yamlfile.Nearest(name, typeNames(c)); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("no type %s in the catalog: %s", yamlfile.Quote(name), hint)
}

func listTypes(s Streams, c *catalog.Catalog) error {
	var rows [][]cell
	for _, t := range c.Types {
		var ports, toolsets []string
		for _, n := range t.Ports.Numbers {
			ports = append(ports, strconv.Itoa(int(n)))
		}
		for i := range t.Toolset.HolmesGPT {
			toolsets = append(toolsets, t.EntryName(i, false))
		}
		rows = append(rows, []cell{
			{"TYPE", t.Type}, {"PORTS", strings.Join(ports, ",")}, {"TOOLSET", strings.Join(toolsets, ", ")},
			{"WHAT IT IS GOOD FOR", t.Summary},
		})
	}
	return printTable(s.Out, rows)
}
