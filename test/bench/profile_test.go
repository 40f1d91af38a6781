//go:build integration && bench

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/cli"
)

// BENCH_PROFILE names a folder for profiles of the service: of the processor for the first five seconds and for the rest,
// and of the heap after five seconds and at the end. Figures are not those of the program that is shipped then.
const (
	profileVariable = "BENCH_PROFILE"
	servesVariable  = "BENCH_PROFILE_SERVES" // set in processes that are the service
	profileStart    = 5 * time.Second
)

// TestMain is the service where it is to be profiled.
func TestMain(m *testing.M) {
	folder := os.Getenv(servesVariable)
	if folder == "" {
		m.Run()
		return
	}
	code, err := profiled(folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code) //nolint:forbidigo // this is main
}

// profiling is what the programs' environment needs for it.
func profiling(t *testing.T) []string {
	t.Helper()
	folder := os.Getenv(profileVariable)
	if folder == "" {
		return nil
	}
	folder, err := filepath.Abs(folder)
	if err == nil {
		err = os.MkdirAll(folder, 0o750)
	}
	if err != nil {
		t.Fatalf("%s: %v", profileVariable, err)
	}
	return []string{servesVariable + "=" + folder}
}

// profiled runs the service and leaves its profiles in the folder.
func profiled(folder string) (code int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name := func(what string) string {
		return filepath.Join(folder, fmt.Sprintf("%s-%d-%s.pprof", time.Now().Format("150405"), os.Getpid(), what))
	}
	if err := beginProfile(name("cpu-start")); err != nil {
		return 1, err
	}
	ended := make(chan struct{})
	second := make(chan error, 1)
	go func() {
		select {
		case <-time.After(profileStart):
		case <-ended:
			second <- nil
			return
		}
		pprof.StopCPUProfile()
		second <- errors.Join(snapshot("heap", name("heap-start")), beginProfile(name("cpu-rest")))
	}()
	code = cli.Run(ctx, os.Args[0], os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	close(ended)
	err = <-second
	pprof.StopCPUProfile()
	return code, errors.Join(err, snapshot("allocs", name("allocs-end")))
}

// beginProfile begins a profile of the processor, in a file that stays open as long as the process lives.
func beginProfile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(f)
}

// snapshot writes the profile as it is now.
func snapshot(profile, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup(profile).WriteTo(f, 0), f.Close())
}
