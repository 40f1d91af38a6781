package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// runCommand runs a command with the streams, passes signals on, and returns its exit status.
func runCommand(s Streams, command, env []string, signals <-chan os.Signal) error {
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // the user's command, which signals end
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = s.In, s.Out, s.Err, env
	if err := cmd.Start(); err != nil {
		const notFound, notAllowed = 127, 126 // the codes that shells use
		code := notFound
		if errors.Is(err, os.ErrPermission) {
			code = notAllowed
		}
		return failure{error: fmt.Errorf("the command cannot be run: %w", err), code: code}
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	const grace = 10 * time.Second
	var late <-chan time.Time
	for {
		select {
		case sig := <-signals:
			if sig == os.Interrupt && isTerminal(s.In) {
				continue // the terminal sends Ctrl-C to the command too, which may continue
			}
			_ = cmd.Process.Signal(sig) // fails if the command has ended
			if sig != os.Interrupt && late == nil {
				late = time.After(grace)
			}
		case <-late:
			_ = cmd.Process.Kill() // fails if the command has ended
		case err := <-done:
			return exitOf(err)
		}
	}
}

// exitOf returns the command's exit status as a failure. If a signal ended the command, the status is 128 plus the
// signal's number, as in shells.
func exitOf(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	code := exit.ExitCode()
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		const signaled = 128
		code = signaled + int(status.Signal())
	}
	return failure{error: err, code: code, silent: true}
}
