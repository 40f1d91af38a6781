package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The demonstration needs nothing but Go: it runs the program on the stand-ins, sees everything written, and ends
// without an error when somebody presses Ctrl-C, which a terminal sends to the demonstration and to what it has started.
func TestDemo(t *testing.T) {
	t.Attr("req", "DTS-PKG-2 DTS-RUN-6")
	folder := t.TempDir() + string(filepath.Separator)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder, "../../cmd/dynamic-toolset", ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var out output
	demo := exec.CommandContext(t.Context(), folder+"demo", "-binary", folder+"dynamic-toolset", "-for", "1m")
	demo.Stdout, demo.Stderr = &out, &out
	demo.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		"custom_toolset.yaml is written:", "HolmesGPT has this document: ",
		"monitoring/prometheus-server", "team-a/metrics", "monitoring/grafana", "{{ env.GRAFANA_API_KEY }}", "observability/jaeger-query",
		"outside/managed", "https://" + linkHost, "observability/tempo", "logging/elasticsearch-master", "logging/loki-gateway", "custom/shop/orders-runbooks",
	}
	for end := time.Now().Add(30 * time.Second); out.missing(wanted) != "" && time.Now().Before(end); {
		<-time.After(100 * time.Millisecond)
	}
	<-time.After(time.Second) // a document is shown when it has not changed for a second
	if err := syscall.Kill(-demo.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := demo.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if missing := out.missing(append(wanted, "Stopped.")); missing != "" {
		t.Errorf("%q was not printed:\n%s", missing, out.text.String())
	}
	err := run(t.Context(), []string{"-binary", folder + "missing"}, &out)
	if err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("without the program: %v", err)
	}
}

// output is what was printed, while it is being printed.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // not embedded: io.Copy would call its ReadFrom, without the lock
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// missing is the first of the texts that was not printed after the introduction, "" if all were.
func (o *output) missing(texts []string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, printed, _ := strings.Cut(o.text.String(), "Ctrl-C ends all of it.")
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			return text
		}
	}
	return ""
}
