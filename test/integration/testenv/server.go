//go:build integration

package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is etcd or kube-apiserver. It is stopped and started again on the same data and port, as after an accident.
type Server struct {
	name    string
	program starter
	pidFile string
	log     *os.File
}

type starter interface {
	Start() error
	Stop() error
}

// wrapper runs a program under its own process id, told in a file, and ends it when the test is killed before it could.
const wrapper = `#!/bin/sh
echo $$ >'%s'
test=$PPID
(while kill -0 $test && kill -0 $$; do sleep 1; done; kill -9 $$) >/dev/null 2>&1 &
exec '%s' "$@"
`

// newServer puts the wrapper where envtest looks for the program: envtest itself does not tell the process id.
func newServer(t testing.TB, dir, program string, path *string, s starter) *Server {
	t.Helper()
	name := filepath.Base(program)
	server := &Server{name: name, program: s, pidFile: filepath.Join(dir, name+".pid")}
	*path = filepath.Join(dir, name)
	must(t, os.WriteFile(*path, fmt.Appendf(nil, wrapper, server.pidFile, program), 0o700))
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	must(t, err)
	server.log = log
	return server
}

// Start starts it and waits until it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.program.Start(); err != nil {
		t.Fatalf("starting %s: %v\n%s", s.name, err, tail(s.log.Name()))
	}
}

// Stop asks it to end and waits until it has.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.program.Stop(); err != nil {
		t.Fatalf("stopping %s: %v\n%s", s.name, err, tail(s.log.Name()))
	}
}

// Kill ends it with SIGKILL and waits until it is gone. It may not be running.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	must(t, s.kill())
}

func (s *Server) kill() error {
	running, err := s.signal(syscall.SIGKILL)
	for range ticks(time.Now().Add(10*time.Second), 5*time.Millisecond) {
		if !running || err != nil {
			return err
		}
		running, err = s.signal(0)
	}
	return fmt.Errorf("%s is still there 10 s after SIGKILL", s.name)
}

// Pause and Resume make it hang and go on: connections stay open and nothing is answered.
func (s *Server) Pause(t testing.TB) { t.Helper(); s.Signal(t, syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume(t testing.TB) { t.Helper(); s.Signal(t, syscall.SIGCONT) }

// Signal reports whether it was running.
func (s *Server) Signal(t testing.TB, sig syscall.Signal) bool {
	t.Helper()
	running, err := s.signal(sig)
	must(t, err)
	return running
}

func (s *Server) signal(sig syscall.Signal) (running bool, err error) {
	text, err := os.ReadFile(s.pidFile)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return false, fmt.Errorf("%s: no process id in %s: %w", s.name, s.pidFile, err)
	}
	switch err := syscall.Kill(pid, sig); {
	case errors.Is(err, syscall.ESRCH):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("signal %s to %s: %w", sig, s.name, err)
	}
	return true, nil
}
