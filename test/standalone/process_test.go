package standalone

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// process is a running service. It is killed at the end of the test.
type process struct {
	*program.Process
	api string // URL
}

// start runs serve on files until the end of the test, and waits until it is ready.
func start(t *testing.T, services, dir string, more ...string) *process {
	t.Helper()
	p := launch(t, services, dir, more...)
	listening := regexp.MustCompile(`"server":"api","address":"([^"]+)"`)
	program.Eventually(t, "it listens", func() error {
		if m := listening.FindStringSubmatch(p.Text(t)); m != nil {
			p.api = "http://" + m[1]
			return nil
		}
		return errors.New(p.Text(t))
	})
	program.Eventually(t, "it is ready", func() error {
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
	args := append([]string{
		"serve", "-f", services, "--out", dir, "--set", "server.address=127.0.0.1:0", "--set", "metrics.address=127.0.0.1:0",
		"--set", "health.interval=500ms", "--set", "health.tries=1", "--set", "discovery.settle=20ms", "--set", "output.resync=2s",
	}, more...)
	return &process{Process: program.Start(t, nil, program.Binary(t), args...)}
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
	program.Eventually(t, "the API tells of "+want, func() error {
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
	program.Eventually(t, what, func() error {
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
