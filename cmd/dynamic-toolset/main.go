// Command dynamic-toolset finds the observability backends of a Kubernetes cluster and writes HolmesGPT's toolsets for
// them.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"kubernaut.io/dynamic-toolset/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	log.SetOutput(io.Discard) // net/http quotes strangers there; the service, which has a log, takes it into that
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	return cli.Run(ctx, os.Args[0], os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
