package standalone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// binary is the program, built once from the tree as it is.
var binary = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "dynamic-toolset-standalone")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", path, "./cmd/dynamic-toolset")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// process is a running service. It is killed at the end of the test.
type process struct {
	cmd  *exec.Cmd
	log  string // a file
	done chan struct{}
	api  string // URL
}

// start runs serve on files until the end of the test, and waits until it is ready.
func start(t *testing.T, services, dir string, more ...string) *process {
	t.Helper()
	p := launch(t, services, dir, more...)
	listening := regexp.MustCompile(`"server":"api","address":"([^"]+)"`)
	eventually(t, "it listens", func() error {
		if m := listening.FindStringSubmatch(p.text(t)); m != nil {
			p.api = "http://" + m[1]
			return nil
		}
		return errors.New(p.text(t))
	})
	eventually(t, "it is ready", func() error {
		code, body := get(t, p.api+"/readyz")
		if code != http.StatusOK {
			return errors.New(body)
		}
		return nil
	})
	return p
}

func launch(t *testing.T, services, dir string, more ...string) *process {
	t.Helper()
	path, err := binary()
	must(t, err)
	args := append([]string{
		"serve", "-f", services, "--out", dir, "--set", "server.address=127.0.0.1:0", "--set", "metrics.address=127.0.0.1:0",
		"--set", "health.interval=500ms", "--set", "health.tries=1", "--set", "discovery.settle=20ms", "--set", "output.resync=2s",
	}, more...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	defer log.Close()
	p := &process{cmd: exec.Command(path, args...), log: log.Name(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	must(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s", p.text(t))
		}
	})
	return p
}

func (p *process) text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	must(t, err)
	return string(text)
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// stop asks it to end, and returns its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	return p.wait(t)
}

func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// patience is how long something may take on a machine with other work.
const patience = 30 * time.Second

func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
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

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	must(t, err)
	res, err := new(http.Client).Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return res.StatusCode, err.Error()
	}
	return res.StatusCode, string(body)
}

// ask decodes what the API says.
func (p *process) ask(t *testing.T, path string, into any) error {
	t.Helper()
	code, body := get(t, p.api+path)
	if code != http.StatusOK {
		return fmt.Errorf("%s: %d %s", path, code, body)
	}
	return json.Unmarshal([]byte(body), into)
}

// tells waits until the API tells of a problem; "[]" is none.
func (p *process) tells(t *testing.T, want string) {
	t.Helper()
	eventually(t, "the API tells of "+want, func() error {
		var status struct {
			Problems []struct{ Kind, Message string } `json:"problems"`
		}
		if err := p.ask(t, "/api/v1/status", &status); err != nil {
			return err
		}
		if text := fmt.Sprint(status.Problems); !strings.Contains(text, want) || want == "[]" && text != want {
			return errors.New(text)
		}
		return nil
	})
}

// backend starts a stand-in and returns the Service in front of it.
func backend(t *testing.T, namespace, name string, kind standin.Kind, labels string) (*standin.Backend, string) {
	t.Helper()
	b := standin.New(kind, standin.Options{})
	s, err := standin.Start("127.0.0.1:0", b)
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return b, fmt.Sprintf(`---
apiVersion: v1
kind: Service
metadata: {namespace: %s, name: %s, labels: {%s}}
spec: {clusterIP: 127.0.0.1, ports: [{name: http, port: %d, targetPort: 9090}]}
`, namespace, name, labels, s.Port())
}

const prometheusLabels = "app.kubernetes.io/name: prometheus, app.kubernetes.io/component: server"

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// holds waits until a file holds every part, and none of those that begin with "-".
func holds(t *testing.T, what, path string, parts ...string) {
	t.Helper()
	eventually(t, what, func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, part := range parts {
			part, unwanted := strings.CutPrefix(part, "-")
			if strings.Contains(string(text), part) == unwanted {
				return fmt.Errorf("%q, wanted: %v, in\n%s", part, !unwanted, text)
			}
		}
		return nil
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
