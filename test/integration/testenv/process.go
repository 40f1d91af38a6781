//go:build integration

package testenv

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Result is what a command did.
type Result struct {
	Stdout, Stderr string
	Code           int
	MaxRSS         int64 // the most resident memory that was seen, in bytes
}

// Run runs dynamic-toolset to its end with a kubeconfig, none if that is "".
func (e *Env) Run(t testing.TB, kubeconfig string, args ...string) Result {
	t.Helper()
	if kubeconfig != "" {
		args = append(args, "--kubeconfig", kubeconfig)
	}
	return e.run(t, "", Binary(t), args)
}

func (e *Env) run(t testing.TB, in, program string, args []string) Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = e.environment()
	cmd.Stdin = strings.NewReader(in)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	memory := make(chan int64)
	ended := make(chan struct{})
	go func() { memory <- watchMemory(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	close(ended)
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("%s: %v", cmd, err)
	}
	checkLog(t, cmd.String(), stderr.String())
	return Result{
		Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode(),
		MaxRSS: <-memory,
	}
}

// environment is this process's without what would lead a command to another cluster or through a proxy.
func (e *Env) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(name, "KUBE") || strings.HasSuffix(strings.ToUpper(name), "_PROXY")
	})
	return append(env, "HOME="+e.dir)
}

// Process is a running dynamic-toolset. It is killed, with all that it started, at the end of the test.
type Process struct {
	// LogFile has its standard output and error.
	LogFile string

	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Process starts dynamic-toolset with a kubeconfig and more environment variables (NAME=value), each possibly none. When the
// test fails, the end of its log is shown.
func (e *Env) Process(t testing.TB, kubeconfig string, env []string, args ...string) *Process {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if kubeconfig != "" {
		args = append(args, "--kubeconfig", kubeconfig)
	}
	log, err := os.CreateTemp(e.dir, "dynamic-toolset-*.log")
	must(t, err)
	defer log.Close()
	p := &Process{LogFile: log.Name(), name: filepath.Base(log.Name()), done: make(chan struct{})}
	p.cmd = exec.Command(Binary(t), args...) //nolint:noctx,gosec // it outlives a cancelled context to be stopped as a pod is
	p.cmd.Env = append(e.environment(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// A group of its own, so that all of it can be killed; and it ends with a test that is killed.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", p.cmd, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() { p.end(t) })
	return p
}

func (p *Process) end(t testing.TB) {
	t.Helper()
	p.Kill(t)
	checkLog(t, p.name, p.Log(t))
	if t.Failed() {
		t.Logf("dynamic-toolset %s\n%s", strings.Join(p.cmd.Args[1:], " "), tail(p.LogFile))
	}
}

// PID is its process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to it. It may have ended.
func (p *Process) Signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("signal %s: %v", sig, err)
	}
}

// Kill ends it and all that it started with SIGKILL, and waits until it is gone.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	if p.Running() {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // the group may end meanwhile
	}
	p.Wait(t, 10*time.Second)
}

// Running reports whether it has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Wait waits for its end and returns the exit code, -1 after a signal. Done is a channel for the same.
func (p *Process) Wait(t testing.TB, timeout time.Duration) int {
	t.Helper()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		t.Fatalf("%s has not ended within %s", p.name, timeout)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Done is closed when it has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Log is what it has written so far.
func (p *Process) Log(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(p.LogFile)
	must(t, err)
	return string(data)
}

// checkLog fails the test for what no program of ours may ever print.
func checkLog(t testing.TB, name, log string) {
	t.Helper()
	for _, bad := range []string{"WARNING: DATA RACE", "\npanic: ", "\nfatal error: "} {
		if i := strings.Index("\n"+log, bad); i >= 0 {
			t.Errorf("%s: %s", name, log[max(i-1, 0):min(i+4000, len(log))])
		}
	}
}

// tail is the last part of a file, for messages.
func tail(path string) string {
	const most = 8000
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(data) > most {
		data = append([]byte("…"), data[len(data)-most:]...)
	}
	return string(data)
}
