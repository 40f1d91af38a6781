//go:build monitoring

package monitoring

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// standalone is the service on files: what it reads, and where it writes.
type standalone struct {
	services, out string
	metrics       string // address
	holmes        string // URL of HolmesGPT, "" for none
	*program.Process
}

// start runs it, also once more after it was stopped.
func (s *standalone) start(t *testing.T) {
	t.Helper()
	s.Process = serve(t, s.metrics, "-f", s.services, "--out", s.out, "--set", "health.interval=500ms", "--set", "health.tries=1",
		"--set", "discovery.settle=20ms", "--set", "output.resync=1s", "--set", "holmesgpt.url="+s.holmes)
}

func serve(t *testing.T, metrics string, args ...string) *program.Process {
	t.Helper()
	return program.Start(t, nil, program.Binary(t), append([]string{
		"serve", "--set", "auth.mode=none", "--set", "server.tls.mode=off",
		"--set", "server.address=127.0.0.1:0", "--set", "metrics.address=" + metrics,
	}, args...)...)
}

var listening = regexp.MustCompile(`"server":"api","address":"([^"]+)"`)

// api is the URL of the API, once it listens.
func (s *standalone) api(t *testing.T) string {
	t.Helper()
	var address string
	program.Eventually(t, "the API listens", func() error {
		m := listening.FindStringSubmatch(s.Text(t))
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
