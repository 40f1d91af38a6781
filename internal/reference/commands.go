package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"kubernaut.io/dynamic-toolset/internal/cli"
)

func commands(string) (Page, error) {
	p := Page{Name: "commands.md", Title: "Command line", About: "every command and flag"}
	var m markdown
	root := cli.Root()
	m.para(root.Long)
	m.para("Results go to standard output, all else to standard error. Installed on the `PATH` as `kubectl-toolset` it is the " +
		"kubectl plugin `kubectl toolset`.")
	m.table([]string{"exit code", "meaning"}, [][]string{
		{"0", "done; of `diff`: nothing differs"},
		{"1", "an error, told in one line; of `diff`: something differs"},
		{"2", "the command line is wrong; of `diff` also any other error"},
	})
	kubectl := kubectlFlags()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			continue
		}
		m.heading(2, c.Name())
		m.para(c.Short + ".")
		m.code("text", c.UseLine())
		if c.Name() == "completion" { // its words and commands are the library's
			var shells []string
			for _, shell := range c.Commands() {
				shells = append(shells, shell.Name())
			}
			m.para("For " + spans(shells) + "; `dynamic-toolset completion SHELL --help` says where to put it.")
			continue
		}
		if c.Long != "" {
			m.code("text", c.Long)
		}
		if c.Example != "" {
			m.code("sh", unindent(c.Example))
		}
		rows, connects := flagRows(c, kubectl)
		if len(rows) > 0 {
			m.table([]string{"flag", "default", "meaning"}, rows)
		}
		if connects {
			m.para("It also has the [flags of kubectl](#flags-of-kubectl).")
		}
	}
	m.heading(2, "Flags of kubectl")
	m.para("As kubectl has them, for the commands that look at a cluster:")
	var rows [][]string
	kubectl.VisitAll(func(f *pflag.Flag) { rows = append(rows, flagRow(f)) })
	m.table([]string{"flag", "default", "meaning"}, rows)
	p.Text = m.String()
	return p, nil
}

// kubectlFlags are those that mean the same everywhere; each command says itself what -n does.
func kubectlFlags() *pflag.FlagSet {
	all, kept := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	genericclioptions.NewConfigFlags(true).AddFlags(all)
	all.VisitAll(func(f *pflag.Flag) {
		if f.Name != "namespace" {
			kept.AddFlag(f)
		}
	})
	return kept
}

// flagRows are the flags of a command's own, and whether it has kubectl's too.
func flagRows(c *cobra.Command, kubectl *pflag.FlagSet) (rows [][]string, connects bool) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		switch {
		case kubectl.Lookup(f.Name) != nil:
			connects = true
		case f.Name != "help":
			rows = append(rows, flagRow(f))
		}
	})
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return rows, connects
}

func flagRow(f *pflag.Flag) []string {
	name := "--" + f.Name
	if f.Value.Type() != "bool" {
		value, _ := pflag.UnquoteUsage(f)
		name += " " + value
	}
	cell := span(name)
	if f.Shorthand != "" {
		cell = span("-"+f.Shorthand) + ", " + cell
	}
	return []string{cell, span(defaultOf(f)), prose(f.Usage)}
}

// defaultOf is a flag's default, "" where it says nothing.
func defaultOf(f *pflag.Flag) string {
	switch {
	case f.Name == "cache-dir": // depends on who asks
		return "~/.kube/cache"
	case f.Name == "request-timeout": // the commands have one, kubectl has none
		return "30s"
	case f.DefValue == "false", f.DefValue == "[]":
		return ""
	}
	return f.DefValue
}

func unindent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		fmt.Fprint(&b, strings.TrimPrefix(line, "  "))
	}
	return b.String()
}
