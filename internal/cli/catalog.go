package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

func newCatalog(streams Streams) *cobra.Command {
	o := &configOptions{}
	var output string
	cmd := &cobra.Command{
		Use:   "catalog [TYPE]",
		Short: "List the backend types, or show one in full",
		Long: `Lists the backend types, including your own (config catalog.dir). With a type: the signs by which it is
recognised, the look-alikes that are rejected, the port that is chosen, the proof, and what is written for it. -o yaml
prints the type as a file that you can change and put into your own catalog.`,
		Example: `  dynamic-toolset catalog
  dynamic-toolset catalog grafana
  dynamic-toolset catalog grafana -o yaml > grafana.yaml`,
		Args: maximumArgs(1, "at most one type"),
		RunE: func(_ *cobra.Command, args []string) error {
			_, types, err := o.load(streams)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return listTypes(streams, types, output)
			}
			t := types.Lookup(args[0])
			if t == nil {
				return unknownType(args[0], types)
			}
			if output == "yaml" {
				return printType(streams, t)
			}
			return showType(streams, t)
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
	addOutput(cmd, &output, "text", "yaml")
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

func listTypes(s Streams, c *catalog.Catalog, output string) error {
	if output == "yaml" {
		return printObject(s, typeNames(c), output)
	}
	return printTable(s.Out, []column[*catalog.Type]{
		{title: "TYPE", cell: func(t *catalog.Type) string { return t.Type }},
		{title: "PORTS", cell: func(t *catalog.Type) string { return or(numbers(t.Ports.Numbers)) }},
		{title: "TOOLSET", cell: func(t *catalog.Type) string { return strings.Join(entryNames(t), ", ") }},
		{title: "WHAT IT IS GOOD FOR", cell: func(t *catalog.Type) string { return t.Summary }},
	}, slices.Values(c.Types))
}

func numbers(list []int32) string {
	var out []string
	for _, n := range list {
		out = append(out, strconv.Itoa(int(n)))
	}
	return strings.Join(out, ",")
}

func entryNames(t *catalog.Type) []string {
	var names []string
	for i := range t.Toolset.HolmesGPT {
		names = append(names, t.EntryName(i, false))
	}
	return names
}

func printType(s Streams, t *catalog.Type) error {
	_, err := s.Out.Write(t.Source())
	return err
}

// showType describes a type for people.
func showType(s Streams, t *catalog.Type) error {
	w := &writer{out: s.Out, paint: newPainter(s.Out)}
	w.line("%s (%s): %s.", t.Title, t.Type, t.Summary)
	w.head("Recognised for certain by any of")
	for i := range t.Detect.Strong {
		w.rule(&t.Detect.Strong[i])
	}
	w.head("Recognised with a second sign or a probe by")
	if ws := t.Detect.Weak.Words; len(ws) > 0 {
		w.line("  a name, or a label such as app, that ends in %s", orList(ws))
		if sx := t.Detect.Weak.Suffixes; len(sx) > 0 {
			w.line("    (with %s behind it)", orList(sx))
		}
	}
	if l := conditions(t.Detect.Weak.Labels, "label"); len(l) > 0 {
		w.line("  %s", strings.Join(l, ", "))
	}
	if l := conditions(t.Detect.Weak.Selector, "selector"); len(l) > 0 {
		w.line("  %s", strings.Join(l, ", "))
	}
	if l := t.Detect.Weak.PortNames; len(l) > 0 {
		w.line("  a port called %s", orList(l))
	}
	if own := own(t); own != "" {
		w.line("  its own port: %s", own)
	}
	if len(t.Detect.Reject) > 0 {
		w.head("Rejected by any of")
		for i := range t.Detect.Reject {
			w.rule(&t.Detect.Reject[i])
		}
	}
	w.ports(t)
	w.proof(t)
	w.written(t)
	return w.err
}

// own returns the port numbers that are a sign of the type by themselves, because no other type shares them.
func own(t *catalog.Type) string {
	var list []int32
	for _, n := range t.Ports.Numbers {
		if !slices.Contains(t.Ports.Shared, n) {
			list = append(list, n)
		}
	}
	return numbers(list)
}

func (w *writer) rule(r *catalog.Rule) {
	parts := slices.Concat(conditions(r.Labels, "label"), conditions(r.Selector, "selector"),
		conditions(r.Annotations, "annotation"))
	if len(r.Names) > 0 {
		parts = append(parts, "a name like "+orList(r.Names))
	}
	if len(r.Ports) > 0 {
		parts = append(parts, "a port called "+orList(r.Ports))
	}
	w.line("  %s", strings.Join(parts, ", "))
	w.line("      %s", r.Because)
}

func conditions(m map[string]catalog.Values, what string) (parts []string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %s=%s", what, k, strings.Join(m[k], "|")))
	}
	return parts
}

func (w *writer) ports(t *catalog.Type) {
	w.head("Port")
	if len(t.Ports.Names) > 0 {
		w.line("  called %s", orList(t.Ports.Names))
	}
	w.line("  or with the number %s, as port or as targetPort", or(numbers(t.Ports.Numbers)))
	if len(t.Ports.Never) > 0 {
		w.line("  never %s", orList(t.Ports.Never))
	}
	w.line("  speaks %s unless the Service says otherwise", t.Ports.Scheme)
}

func (w *writer) proof(t *catalog.Type) {
	w.head("Proof")
	for _, c := range t.Probe.Identity {
		w.line("  it is one:    %s", check(&c))
	}
	for _, c := range t.Probe.Not {
		if c.Is != "" {
			w.line("  it is %s: %s: %s", c.Is, check(&c), c.Because)
		} else {
			w.line("  it is not:    %s: %s", check(&c), c.Because)
		}
	}
	for _, c := range t.Probe.Compatible {
		w.line("  at least it answers: %s: %s", check(&c), c.Because)
	}
	for _, c := range t.Probe.Health {
		w.line("  it works:     %s", check(&c))
	}
	for _, c := range t.Probe.Degraded {
		w.line("  it works in part: %s: %s", check(&c), c.Because)
	}
	for _, c := range t.Probe.Warn {
		w.line("  it warns:     %s: %s", check(&c), c.Because)
	}
	if c := t.Probe.Members; c != nil {
		w.line("  its shards:   %s: the backends at the addresses in %s", check(c), c.Addresses)
	}
	if t.Probe.Query != nil {
		w.line("  it answers:   %s", check(t.Probe.Query))
	}
	if len(t.Probe.Paths) > 0 {
		w.line("  base paths tried: %s", strings.Join(t.Probe.Paths, ", "))
	}
}

func check(c *catalog.Check) string {
	text := "GET " + c.Get
	if c.Root {
		text += " at the root"
	}
	var want []string
	for _, s := range c.Status {
		want = append(want, strconv.Itoa(s))
	}
	for _, k := range slices.Sorted(maps.Keys(c.JSON)) {
		want = append(want, k+"="+strings.TrimSuffix(strings.Join(c.JSON[k], "|"), "|"))
		if slices.Contains(c.JSON[k], "") {
			want[len(want)-1] += " (or empty)"
		}
	}
	for _, s := range []string{c.Text, c.Body} {
		if s != "" {
			want = append(want, strconv.Quote(s))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(c.Header)) {
		want = append(want, "header "+k+"="+strings.Join(c.Header[k], "|"))
	}
	if len(want) > 0 {
		text += " answers " + strings.Join(want, ", ")
	}
	for i := range c.Or {
		text += ", or " + check(&c.Or[i])
	}
	return text
}

func (w *writer) written(t *catalog.Type) {
	w.head("What is written")
	w.line("  HolmesGPT's toolset %s", strings.Join(entryNames(t), " and "))
	for _, c := range t.Toolset.Credentials {
		if c.Variable != "" {
			value := ""
			if c.Value != "" {
				value = ": " + c.Value
			}
			w.line("  if it requires %s, %s is taken from HolmesGPT's variable %s%s",
				view.Noun(backend.Kind(c.Is())), c.Field, c.Variable, value)
		}
	}
}

func orList(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}
