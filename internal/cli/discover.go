package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func newDiscover(streams Streams) *cobra.Command {
	o := &options{streams: streams}
	var output string
	var all bool
	cmd := &cobra.Command{
		Use:   "discover",
		Short: "Show the backends of a cluster",
		Long: `Shows the observability backends among a cluster's Services. With --all also those that were not chosen, and why:
  accepted      published, or would be
  unavailable   the right thing, but it does not work now
  duplicate     another Service in front of the same backend is used
  unconfirmed   it may be one; a probe would tell
  rejected      not a backend, or kept out`,
		Example: `  dynamic-toolset discover
  dynamic-toolset discover --all --probe=proxy -n monitoring
  kubectl get svc,endpointslices -A -o json | dynamic-toolset discover -f - -o json`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"", "table", "wide", "json", "yaml"}, output) {
				return usage("-o %s: expected table, wide, json or yaml", output)
			}
			d, err := o.discover(contextOf(cmd), backend.Ref{})
			if err != nil {
				return err
			}
			return d.print(streams, output, all)
		},
	}
	o.addFlags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table, wide, json or yaml")
	cmd.Flags().BoolVar(&all, "all", false, "show what was not chosen too, and why")
	completeValues(cmd, "output", "table", "wide", "json", "yaml")
	completeValues(cmd, "probe", probeAuto, probeDirect, probeProxy, probeOff)
	return cmd
}

func completeValues(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag's name is wrong: seen by the first test that makes the command
	}
}

// shown are the findings to print: the accepted ones, or all, those of which only the name is kept last.
func (d *discovered) shown(all bool) []*backend.Finding {
	var list []*backend.Finding
	for _, f := range d.findings {
		if all || f.Verdict == backend.Accepted {
			list = append(list, f)
		}
	}
	if all {
		for _, ref := range d.collector.Others() {
			list = append(list, &backend.Finding{Ref: ref, Verdict: backend.Rejected, Reason: "nothing about it looks like a known backend"})
		}
	}
	return list
}

func (d *discovered) print(s Streams, output string, all bool) error {
	list := d.shown(all)
	switch output {
	case "json", "yaml":
		out := serviceList{Services: make([]service, 0, len(list)), Count: len(list)}
		for _, f := range list {
			out.Services = append(out.Services, newService(f, d.catalog))
		}
		return printObject(s, out, output)
	}
	if len(list) == 0 {
		note(s, "No backends among %s. %s", services(d.collector.Count()), hintAll(all))
		return nil
	}
	if err := d.table(s, list, output == "wide", all); err != nil {
		return err
	}
	if isTerminal(s.Out) {
		note(s, "%s", d.summary(list, all))
	}
	return nil
}

func (d *discovered) summary(list []*backend.Finding, all bool) string {
	counts := map[backend.Verdict]int{}
	for _, f := range d.findings {
		counts[f.Verdict]++
	}
	var parts []string
	for _, v := range backend.Verdicts {
		if counts[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[v], v))
		}
	}
	return fmt.Sprintf("\n%s: %s. %s", services(d.collector.Count()), strings.Join(parts, ", "), hintAll(all))
}

func hintAll(all bool) string {
	if all {
		return "Ask about one with: explain NAMESPACE/NAME"
	}
	return "See what was not chosen with --all, ask about one with: explain NAMESPACE/NAME"
}

func services(n int) string {
	if n == 1 {
		return "1 Service"
	}
	return fmt.Sprintf("%d Services", n)
}

// table prints findings for eyes. Columns that would say the same in every row are left out.
func (d *discovered) table(s Streams, list []*backend.Finding, wide, all bool) error {
	paint := newPainter(s.Out)
	header := []string{"NAMESPACE", "NAME", "TYPE", "ENDPOINT"}
	if all {
		header = []string{paint.plain("VERDICT"), "NAMESPACE", "NAME", "TYPE", "ENDPOINT"}
	}
	if d.probed {
		header = append(header, "HEALTH", "VERSION")
	}
	if wide {
		header = append(header, "INSTANCE", "PRIMARY", "TOOLSET", "EVIDENCE")
	}
	if wide || all {
		header = append(header, "REASON")
	}
	w := printers.GetNewTabWriter(s.Out)
	fmt.Fprintln(w, strings.Join(header, "\t"))
	for _, f := range list {
		v := newService(f, d.catalog)
		row := []string{v.Namespace, v.Name, or(v.Type), or(v.Endpoint)}
		if all {
			row = append([]string{paint.verdict(f.Verdict)}, row...)
		}
		if d.probed {
			row = append(row, or(health(&f.Observation)), or(v.Metadata["version"]))
		}
		if wide {
			row = append(row, or(v.Instance), fmt.Sprint(v.Primary), or(v.Metadata["toolset"]), or(v.Metadata["evidence"]))
		}
		if wide || all {
			row = append(row, v.Reason)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func printObject(s Streams, v any, output string) error {
	if output == "yaml" {
		data, err := yaml.Marshal(v)
		if err != nil {
			return err
		}
		_, err = s.Out.Write(data)
		return err
	}
	enc := json.NewEncoder(s.Out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// painter colours where the terminal has colours. All cells of a column get codes of one length, so that it stays straight.
type painter struct{ on bool }

func newPainter(out any) painter {
	w, ok := out.(interface{ Write([]byte) (int, error) })
	return painter{on: ok && isTerminal(w) && !color.NoColor}
}

func (p painter) paint(s string, a color.Attribute) string {
	if !p.on {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", a, s)
}

func (p painter) plain(s string) string { return p.paint(s, 39) }

func (p painter) verdict(v backend.Verdict) string {
	colours := map[backend.Verdict]color.Attribute{
		backend.Accepted: color.FgGreen, backend.Unavailable: color.FgRed, backend.Duplicate: color.FgBlue,
		backend.Unconfirmed: color.FgYellow,
	}
	if a, ok := colours[v]; ok {
		return p.paint(string(v), a)
	}
	return p.plain(string(v))
}
