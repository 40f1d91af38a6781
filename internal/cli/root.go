// Package cli is the command line: it reads flags, runs the stages and prints the results. Results go to standard
// output, notes and errors to standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes of the commands. For diff, 1 means different.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// Streams are the process's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Run runs a command line and returns the exit code. name is the program's name: as kubectl-toolset it is the kubectl
// plugin "kubectl toolset".
func Run(ctx context.Context, name string, args []string, streams Streams) int {
	in := &interruptible{ctx: ctx, in: streams.In}
	defer in.close()
	streams.In = in
	root := newRoot(filepath.Base(name), streams)
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for os.Args
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code, silent := exitCode(err)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = errInterrupted
	}
	if !silent && !errors.Is(err, syscall.EPIPE) { // EPIPE: the reader has ended, as head does after its first lines
		for line := range strings.Lines(strings.TrimSpace(err.Error())) { // an invalid file has a line for each mistake
			_, _ = fmt.Fprintln(streams.Err, "error: "+strings.TrimSpace(line))
		}
	}
	return code
}

// Root returns the command tree, for the reference pages.
func Root() *cobra.Command {
	return newRoot("dynamic-toolset", Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
}

// failure is an error with an exit code.
type failure struct {
	error
	code   int
	silent bool // no message is printed: the exit code is the result
}

func (f failure) Unwrap() error { return f.error }

// usage returns a failure for a wrong command line.
func usage(format string, args ...any) error {
	return failure{error: fmt.Errorf(format, args...), code: exitUsage}
}

func exitCode(err error) (code int, silent bool) {
	if f, ok := errors.AsType[failure](err); ok {
		return f.code, f.silent
	}
	return exitError, false
}

func newRoot(name string, streams Streams) *cobra.Command {
	display := "dynamic-toolset"
	if strings.HasPrefix(name, "kubectl-") {
		display = "kubectl toolset"
	}
	root := &cobra.Command{
		Use:   "dynamic-toolset",
		Short: "Find the observability backends of a cluster and write HolmesGPT's toolsets for them",
		Long: `Finds the observability backends among a cluster's Services (Prometheus, Grafana, Jaeger, Elasticsearch
and similar), proves each with a probe, and writes the toolsets that let HolmesGPT use them.`,
		Example: `  # What is in this cluster?
  dynamic-toolset discover

  # What would be written, from what kubectl shows, without a cluster
  kubectl get svc,endpointslices -A -o json | dynamic-toolset generate -f -

  # Why is my Prometheus not there?
  dynamic-toolset explain monitoring/prometheus`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: display},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          unknownCommand,

		SuggestionsMinimumDistance: 2,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%v (%s --help shows the flags)", err, cmd.CommandPath())
	})
	root.AddCommand(newDiscover(streams), newGenerate(streams), newExplain(streams), newDiff(streams),
		newDoctor(streams), newBridge(streams), newServe(streams), newValidate(streams), newCatalog(streams),
		newVersion(streams))
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		c.Example = strings.ReplaceAll(c.Example, "dynamic-toolset ", display+" ")
		switch c.Name() {
		case "completion":
			c.Args = cobra.ArbitraryArgs
			c.RunE = func(cmd *cobra.Command, args []string) error {
				if len(args) == 0 {
					return cmd.Help()
				}
				return usage("%s expects a shell: bash, fish, powershell or zsh, found %q", cmd.CommandPath(), args)
			}
		case "help":
			c.Run, c.RunE = nil, help
		}
	}
	root.Example = strings.ReplaceAll(root.Example, "dynamic-toolset ", display+" ")
	return root
}

// unknownCommand prints the help, or returns an error if an argument names an unknown command.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	return usage("unknown command %q%s (%s --help lists the commands)", args[0], hint, cmd.CommandPath())
}

// help does the same as cobra's help command, but returns an error for an unknown topic.
func help(cmd *cobra.Command, args []string) error {
	root := cmd.Root()
	c, _, err := root.Find(args)
	if err != nil || c == root && len(args) > 0 {
		return root.RunE(root, args)
	}
	return c.Help()
}

// exactArgs does the same as cobra.ExactArgs, with a usage error that names what is expected.
func exactArgs(n int, expected string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return wrongArgs(cmd, args, expected)
		}
		return nil
	}
}

func maximumArgs(n int, expected string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return wrongArgs(cmd, args, expected)
		}
		return nil
	}
}

func wrongArgs(cmd *cobra.Command, args []string, expected string) error {
	// In "--set path value" the value may be a secret, so it is not printed.
	sets, err := cmd.Flags().GetStringArray("set")
	if err == nil && slices.ContainsFunc(sets, func(s string) bool { return !strings.Contains(s, "=") }) {
		return usage("--set expects path=value, as in health.interval=1m (%s --help shows how it is used)",
			cmd.CommandPath())
	}
	found := "none"
	if len(args) > 0 {
		found = fmt.Sprintf("%q", args)
	}
	return usage("%s expects %s, found %s (%[1]s --help shows how it is used)", cmd.CommandPath(), expected, found)
}
