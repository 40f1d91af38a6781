// Package program builds the program as it is, and runs it and others until a test ends.
package program

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/chart/shipped"
)

// patience is how long something may take on a machine with other work.
const patience = time.Minute

// Binary is the path of dynamic-toolset, built once from the tree as it is.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	must(t, err)
	return path
}

var build = sync.OnceValues(func() (string, error) {
	root, err := shipped.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "dynamic-toolset-test")
	// Another package's tests may be running the same file: it is replaced, not written into.
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-o", next, "./cmd/dynamic-toolset")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, os.Rename(next, path)
})

// Process is a program that runs until it is stopped, or the test ends. Where the test fails, the end of what it printed is shown.
type Process struct {
	cmd  *exec.Cmd
	log  string // a file
	done chan struct{}
}

// Start starts a program, with more environment variables.
func Start(t testing.TB, env []string, name string, args ...string) *Process {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	defer log.Close()
	ctx := context.WithoutCancel(t.Context()) // Kill ends it, once its output has been read
	p := &Process{cmd: exec.CommandContext(ctx, name, args...), log: log.Name(), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = append(os.Environ(), env...), log, log
	must(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			text := p.Text(t)
			t.Logf("%s:\n%s", filepath.Base(name), text[max(0, len(text)-5000):])
		}
	})
	return p
}

// Text is what it has printed so far.
func (p *Process) Text(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	must(t, err)
	return string(text)
}

// Kill ends it at once. It may have ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop asks it to end, and returns its exit code.
func (p *Process) Stop(t testing.TB) int {
	t.Helper()
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	return p.Wait(t)
}

// Wait waits for its end, and returns its exit code.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// Free is a loopback address on which nothing listens.
func Free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, l.Close()) }()
	return l.Addr().String()
}

// Eventually waits until check returns nil.
func Eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-end:
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		case <-tick.C:
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
