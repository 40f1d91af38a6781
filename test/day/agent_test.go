//go:build integration && day

package day

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/holmes/venv"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// agent is the real HolmesGPT, served with its own admin routes, behind a front that notes when it is told to reload.
type agent struct {
	python, folder, address string
	env                     []string
	front                   *httptest.Server
	hostsFile               string
	output                  *os.File
	cmd                     *exec.Cmd

	mu      sync.Mutex
	hosts   map[string]string
	reloads []reload
	seen    []agentState
	away    []window
	alone   time.Duration // what a reload takes while nothing else happens
}

// reload is one that it was told to do.
type reload struct {
	told, answered time.Time
	status         int
}

// agentState is what it said from then on, until the next.
type agentState struct {
	at         time.Time
	generation string
	failed     map[string]string // toolset: reason
	enabled    int
}

func newAgent(t *testing.T, env *testenv.Env, document string, ca string) *agent {
	folder := filepath.Join("..", "holmes")
	python, err := venv.Python(t.Context(), filepath.Join(folder, "requirements.txt"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := &agent{
		python: python, folder: folder, address: l.Addr().String(), hostsFile: filepath.Join(dir, "hosts"),
		hosts: map[string]string{},
	}
	_ = l.Close()
	a.env = append(os.Environ(), "CUSTOM_TOOLSET_LOCATION="+document, "HOME="+dir, "HOSTS_FILE="+a.hostsFile,
		"HOLMES_CONFIGPATH_DIR="+dir,
		"KUBECONFIG="+env.Kubeconfig(), "LITELLM_LOCAL_MODEL_COST_MAP=True", "REQUESTS_CA_BUNDLE="+ca,
		"HOLMES_TOOLSET_PREREQ_TIMEOUT_SECONDS=600", "PATH="+testenv.Assets(t)+":"+os.Getenv("PATH"))
	if a.output, err = os.Create(filepath.Join(dir, "output")); err != nil {
		t.Fatal(err)
	}
	a.host("none", "127.0.0.1")
	target, _ := url.Parse("http://" + a.address) // an address of ours
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorLog = discard
	a.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noted := &statusWriter{w, http.StatusOK}
		told := time.Now()
		forward.ServeHTTP(noted, r)
		if r.Method == http.MethodPost {
			a.note(func() { a.reloads = append(a.reloads, reload{told, time.Now(), noted.status}) })
		}
	}))
	t.Cleanup(func() {
		a.front.Close()
		a.kill()
		if t.Failed() {
			text, _ := os.ReadFile(a.output.Name())
			t.Logf("HolmesGPT said:\n%s", text[max(0, len(text)-3000):])
		}
	})
	return a
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (a *agent) note(what func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	what()
}

// start starts it, and waits until it answers.
func (a *agent) start(ctx context.Context) error {
	a.cmd = exec.Command(a.python, "-B", "serve.py", a.address)
	a.cmd.Dir, a.cmd.Env, a.cmd.Stdout, a.cmd.Stderr = a.folder, a.env, a.output, a.output
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := a.cmd.Start(); err != nil {
		return err
	}
	end := time.Now().Add(2 * time.Minute)
	for ; ctx.Err() == nil && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, err := a.ask(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("HolmesGPT does not answer: %w", ctx.Err())
}

func (a *agent) kill() {
	if a.cmd != nil && a.cmd.Process != nil {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
	}
}

// host has it find a Service, by the address that the cluster's DNS would answer.
func (a *agent) host(name, ip string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hosts[name] = ip
	var b strings.Builder
	for name, ip := range maps.All(a.hosts) {
		fmt.Fprintln(&b, name, ip)
	}
	_ = replace(a.hostsFile, []byte(b.String())) // in a folder of ours
}

// ask is what it says of itself.
func (a *agent) ask() (s agentState, err error) {
	client := http.Client{Timeout: 20 * time.Second}
	s.at = time.Now()
	status, body, err := get(&client, "http://"+a.address+"/api/info?detail=full")
	if err != nil || status != http.StatusOK {
		return s, fmt.Errorf("%d %.200s: %w", status, body, err)
	}
	var answer struct {
		Toolsets []struct{ Name, Status, Error string }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return s, err
	}
	s.failed = map[string]string{}
	for _, t := range answer.Toolsets {
		switch {
		case strings.HasPrefix(t.Name, "generation/"):
			s.generation = t.Name
		case t.Status == "failed":
			s.failed[t.Name] = t.Error
		case t.Status == "enabled":
			s.enabled++
		}
	}
	s.at = time.Now()
	return s, nil
}

// watch asks it all the time and keeps what is new.
func (a *agent) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if s, err := a.ask(); err == nil {
			a.note(func() {
				if n := len(a.seen); n == 0 || a.seen[n-1].generation != s.generation || !maps.Equal(a.seen[n-1].failed, s.failed) {
					a.seen = append(a.seen, s)
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// measureAlone has it reload while nothing happens, and keeps the median of five.
func (a *agent) measureAlone() error {
	var took []time.Duration
	for range 5 {
		begun := time.Now()
		response, err := http.Post("http://"+a.address+"/api/admin/reload/toolsets", "application/json", nil)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		took = append(took, time.Since(begun))
	}
	a.note(func() { a.alone = quantile(took, 0.5) })
	return nil
}

// get is an answer with its body.
func get(client *http.Client, url string) (status int, body string, err error) {
	response, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}
