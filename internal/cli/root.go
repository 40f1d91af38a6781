// Package cli is the command line: it reads flags, runs the stages and prints the results. Results go to standard
// output, notes and errors to standard error.
package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
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
	root := newRoot(filepath.Base(name), streams)
	var own bytes.Buffer // of cobra, such as help: it does not return the error of a write
	root.SetOut(&own)
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for os.Args
	runs := false                             // the command line is right
	root.PersistentPreRun = func(*cobra.Command, []string) { runs = true }
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		if _, err = own.WriteTo(streams.Out); err == nil {
			return exitOK
		}
	case !runs:
		err = usage("%s (%s --help shows how it is used)", oneLine(err.Error()), cmd.CommandPath())
	}
	code, silent := exitCode(err)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = errInterrupted
	}
	if !silent && !errors.Is(err, syscall.EPIPE) { // EPIPE: the reader has ended, as head does after its first lines
		for line := range strings.Lines(strings.TrimSpace(err.Error())) { // an invalid file has a line for each mistake
			_, _ = fmt.Fprintln(streams.Err, printable("error: "+strings.TrimSpace(line)))
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
	}
	root.SetIn(streams.In)
	root.SetErr(streams.Err)
	root.AddCommand(newDiscover(streams), newGenerate(streams), newExplain(streams), newDiff(streams),
		newDoctor(streams), newBridge(streams), newServe(streams), newValidate(streams), newCatalog(streams),
		newVersion(streams))
	for _, c := range append(root.Commands(), root) {
		c.Example = strings.ReplaceAll(c.Example, "dynamic-toolset ", display+" ")
	}
	return root
}
