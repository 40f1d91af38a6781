package cli

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
)

func newDiscover(streams Streams) *cobra.Command {
	o := &options{streams: streams, live: liveIfAllowed}
	var output string
	var all bool
	cmd := &cobra.Command{
		Use:   "discover",
		Short: "Show the backends of a cluster",
		Long: `Shows the observability backends among a cluster's Services. With --all it also shows the Services that
were not chosen, and why:
  accepted      published, or would be
  unavailable   a backend, but it does not work now
  duplicate     another Service in front of the same backend is used
  unconfirmed   it may be a backend; a probe can prove it
  rejected      not a backend, or kept out`,
		Example: `  dynamic-toolset discover
  dynamic-toolset discover --all --probe=proxy -n monitoring
  kubectl get svc,endpointslices -A -o json | dynamic-toolset discover -f - -o json`,
		Args: cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := o.discover(cmd.Context(), backend.Ref{})
			if err != nil {
				return err
			}
			d.reportWarnings(streams)
			return d.print(streams, output, all)
		},
	}
	o.addFlags(cmd)
	addOutput(cmd, &output, "table", "wide", "json", "yaml")
	cmd.Flags().BoolVar(&all, "all", false, "also show the Services that were not chosen, and why")
	return cmd
}

// shown returns the findings to print and their number: the accepted findings, or all. Services of which only the name
// is kept come last.
func (d *discovered) shown(all bool) (n int, list iter.Seq[*backend.Finding]) {
	var others []backend.Ref
	if all {
		others = d.known.Others()
		n = len(d.findings) + len(others)
	} else {
		n = d.count(backend.Accepted)
	}
	return n, func(yield func(*backend.Finding) bool) {
		for _, f := range d.findings {
			if (all || f.Verdict == backend.Accepted) && !yield(f) {
				return
			}
		}
		for _, ref := range others {
			if !yield(view.Unmatched(ref)) {
				return
			}
		}
	}
}

func (d *discovered) count(v backend.Verdict) (n int) {
	for _, f := range d.findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

// reportWarnings prints warnings about annotations that owners of Services should correct.
func (d *discovered) reportWarnings(s Streams) {
	const most = 10
	warned := map[backend.Ref]bool{}
	for _, f := range d.findings {
		if !f.Warning.Is() || warned[f.Ref] {
			continue
		}
		if warned[f.Ref] = true; len(warned) <= most {
			warn(s, "%s: %s", f.Ref, view.Warning(f))
		}
	}
	if more := len(warned) - most; more > 0 {
		warn(s, "and %s more with an unknown annotation; discover --all -o json has them as metadata.warning",
			services(more))
	}
}

func (d *discovered) print(s Streams, output string, all bool) error {
	n, list := d.shown(all)
	if output == "yaml" && n > 0 {
		return d.printYAML(s.Out, n, list)
	}
	if output == "json" || output == "yaml" {
		found := make([]view.Service, 0, n)
		for f := range list {
			found = append(found, view.NewService(f, d.catalog))
		}
		return printObject(s, struct {
			Services []view.Service `json:"services"`
			Count    int            `json:"count"`
		}{found, n}, output)
	}
	if n == 0 {
		if d.known.Count() > 0 || len(d.only) == 0 { // otherwise noteEmpty has named each namespace
			note(s, "No backends. %s", d.summary(all))
		}
		return nil
	}
	if err := d.table(s.Out, list, output == "wide", all); err != nil {
		return err
	}
	if isTerminal(s.Out) {
		note(s, "\n%s", d.summary(all))
	}
	return nil
}

// summary counts the Services by verdict and names the commands that show more.
func (d *discovered) summary(all bool) string {
	var parts []string
	for _, v := range backend.Verdicts {
		n := d.count(v)
		if v == backend.Rejected {
			n += len(d.known.Others())
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	text := services(d.known.Count()) + " read"
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	switch {
	case len(parts) == 0:
		return text + "."
	case all:
		return text + ". Ask about one with: explain NAMESPACE/NAME"
	}
	return text + ". See them all with --all, ask about one with: explain NAMESPACE/NAME"
}

func services(n int) string {
	if n == 1 {
		return "1 Service"
	}
	return fmt.Sprintf("%d Services", n)
}

// printYAML prints one Service at a time: as a whole, those of a large cluster would take gigabytes of memory.
func (d *discovered) printYAML(out io.Writer, n int, list iter.Seq[*backend.Finding]) error {
	b := bufio.NewWriter(out)
	_, _ = fmt.Fprintf(b, "count: %d\nservices:\n", n) // Flush returns the error
	for f := range list {
		data, err := yaml.Marshal([]view.Service{view.NewService(f, d.catalog)})
		if err != nil {
			return err
		}
		_, _ = b.Write(data)
	}
	return b.Flush()
}

// table prints findings as a table for people.
func (d *discovered) table(out io.Writer, list iter.Seq[*backend.Finding], wide, all bool) error {
	paint := newPainter(out)
	var rows [][]cell
	for f := range list {
		s := view.NewService(f, d.catalog)
		var row []cell
		if all { // the title has a colour too, so that the terminal's codes are equally long in all rows
			row = append(row, cell{paint.verdict("", "VERDICT"), paint.verdict(s.Verdict, string(s.Verdict))})
		}
		row = append(row, cell{"NAMESPACE", s.Namespace}, cell{"NAME", s.Name}, cell{"TYPE", s.Type},
			cell{"PRIMARY", yes(s.Primary)}, cell{"ENDPOINT", s.Endpoint})
		if d.probed {
			row = append(row, cell{"HEALTH", view.Health(&f.Observation)}, cell{"VERSION", s.Metadata.Version})
		}
		if wide {
			row = append(row, cell{"INSTANCE", s.Instance}, cell{"TOOLSET", s.Metadata.Toolset},
				cell{"EVIDENCE", s.Metadata.Evidence})
		}
		if wide || all {
			row = append(row, cell{"REASON", s.Reason})
		}
		rows = append(rows, row)
	}
	return printTable(out, rows)
}
