// Package cli is the command line: it reads flags, runs the stages and shows what came of it. Results go to standard
// output, everything else to standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes of the commands; diff adds its own meaning to 1.
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

// Run carries out a command line and returns the exit code. name is what the program was called as: as kubectl-toolset it
// is kubectl's plugin "kubectl toolset" (DTS-CLI-6).
func Run(ctx context.Context, name string, args []string, streams Streams) int {
	root := newRoot(filepath.Base(name), streams)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code, silent := exitCode(err)
	if !silent {
		fmt.Fprintln(streams.Err, "error: "+strings.TrimSpace(err.Error()))
	}
	return code
}

// failure is an error with an exit code of its own.
type failure struct {
	error
	code   int
	silent bool // the outcome is told by the code alone
}

func (f failure) Unwrap() error { return f.error }

// usage is a failure of the command line itself.
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
		Long: `Finds the observability backends among a cluster's Services (Prometheus, Grafana, Jaeger, Elasticsearch and their
relatives), proves each by asking it, and writes the toolsets that let HolmesGPT use them.`,
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
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			hint := ""
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
			}
			return usage("unknown command %q%s (%s --help lists the commands)", args[0], hint, cmd.CommandPath())
		},
		SuggestionsMinimumDistance: 2,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%v (%s --help shows the flags)", err, cmd.CommandPath())
	})
	root.AddCommand(
		newDiscover(streams), newGenerate(streams), newExplain(streams), newDiff(streams),
		newValidate(streams), newCatalog(streams), newVersion(streams),
	)
	root.InitDefaultCompletionCmd()
	return root
}

// exactArgs is cobra.ExactArgs as a usage error that says what is expected.
func exactArgs(n int, expected string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("%s expects %s, not %d arguments", cmd.CommandPath(), expected, len(args))
		}
		return nil
	}
}

func maximumArgs(n int, expected string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usage("%s expects %s, not %d arguments", cmd.CommandPath(), expected, len(args))
		}
		return nil
	}
}
