//go:build monitoring

package monitoring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"kubernaut.io/dynamic-toolset/test/chart/shipped"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// binary is the program, built once from the tree as it is.
var binary = sync.OnceValues(func() (string, error) {
	root, err := shipped.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "dynamic-toolset-monitoring")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-o", path, "./cmd/dynamic-toolset")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// process is a program that runs until it is stopped, or the test ends.
type process struct {
	cmd  *exec.Cmd
	log  string // a file
	done chan struct{}
}

func launch(t *testing.T, name string, args ...string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	check(t, err)
	defer log.Close()
	p := &process{cmd: exec.Command(name, args...), log: log.Name(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	check(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // it was killed
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			text := p.text(t)
			t.Logf("%s:\n%s", filepath.Base(name), text[max(0, len(text)-3000):])
		}
	})
	return p
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

func (p *process) text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	check(t, err)
	return string(text)
}

// standalone is the service on files: what it reads, and where it writes.
type standalone struct {
	services, out string
	metrics       string // address
	holmes        string // URL of HolmesGPT, "" for none
	*process
}

// start runs it, also once more after it was stopped.
func (s *standalone) start(t *testing.T) {
	t.Helper()
	s.process = serve(t, s.metrics, "-f", s.services, "--out", s.out, "--set", "health.interval=500ms", "--set", "health.tries=1",
		"--set", "discovery.settle=20ms", "--set", "output.resync=1s", "--set", "holmesgpt.url="+s.holmes)
}

func serve(t *testing.T, metrics string, args ...string) *process {
	t.Helper()
	path, err := binary()
	check(t, err)
	return launch(t, path, append([]string{
		"serve", "--set", "auth.mode=none", "--set", "server.tls.mode=off",
		"--set", "server.address=127.0.0.1:0", "--set", "metrics.address=" + metrics,
	}, args...)...)
}

var listening = regexp.MustCompile(`"server":"api","address":"([^"]+)"`)

// api is the URL of the API, once it listens.
func (s *standalone) api(t *testing.T) string {
	t.Helper()
	var address string
	eventually(t, "the API listens", func() error {
		m := listening.FindStringSubmatch(s.text(t))
		if m == nil {
			return errors.New("it does not say so")
		}
		address = m[1]
		return nil
	})
	return "http://" + address
}

// backend starts a stand-in and returns it with the Service in front of it.
func backend(t *testing.T, name string, kind standin.Kind, more string) (*standin.Backend, string) {
	t.Helper()
	b := standin.New(kind, standin.Options{})
	s, err := standin.Start("127.0.0.1:0", b)
	check(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return b, fmt.Sprintf(`---
apiVersion: v1
kind: Service
metadata: {namespace: monitoring, name: %s, %s}
spec: {clusterIP: 127.0.0.1, ports: [{name: http, port: %d, targetPort: 9090}]}
`, name, more, s.Port())
}

// free is an address on loopback where nothing listens.
func free(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(text), 0o600))
}

func command(t *testing.T, in, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewBufferString(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
