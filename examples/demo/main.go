// Command demo shows the service at work without a cluster: it starts stand-ins of Prometheus, Grafana, Jaeger and others
// on this machine, runs dynamic-toolset on them, and prints what it writes, until Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"kubernaut.io/dynamic-toolset/test/standin"
)

func main() {
	os.Exit(runAndTell()) //nolint:forbidigo // this is a main
}

func runAndTell() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo: "+err.Error())
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	binary := flags.String("binary", "bin/dynamic-toolset", "the program to run")
	length := flags.Duration("for", 0, "end after this time; 0: until Ctrl-C")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *length)
		defer cancel()
	}
	dir, err := os.MkdirTemp("", "dynamic-toolset-demo-")
	if err != nil {
		return fmt.Errorf("a folder for what is written: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	cluster, err := startAll(workloads())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.close()) }()
	d := &demo{out: out, dir: dir, services: filepath.Join(dir, "services.yaml"), output: filepath.Join(dir, "out")}
	if err := os.WriteFile(d.services, cluster.services, 0o600); err != nil {
		return fmt.Errorf("writing the Services down: %w", err)
	}
	holmes, err := standin.Start("127.0.0.1:0", standin.NewHolmes(filepath.Join(d.output, document), "ELASTICSEARCH_API_KEY"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, holmes.Close()) }()
	d.holmes = holmes.URL
	outside, err := standin.Start("127.0.0.1:0", standin.New(standin.Prometheus, standin.Options{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, outside.Close()) }()
	d.outside = outside.URL
	if d.page, err = freeAddress(ctx); err != nil {
		return err
	}
	go flap(ctx, cluster.backends[flapping].SetReady)
	d.introduce()
	return d.serve(ctx, *binary)
}

// flap takes a backend down and up again.
func flap(ctx context.Context, setReady func(bool)) {
	const first, every = 20 * time.Second, 30 * time.Second
	wait := time.NewTimer(first)
	defer wait.Stop()
	for ready := false; ; ready = !ready {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		setReady(ready)
		wait.Reset(every)
	}
}

// freeAddress is where the page will be: port 8080 as in a cluster, or another where that is taken.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:8080")
	if err != nil {
		l, err = config.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return "", fmt.Errorf("an address for the page: %w", err)
	}
	return l.Addr().String(), l.Close()
}
