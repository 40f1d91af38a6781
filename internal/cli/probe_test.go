package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// listen serves a handler at an address of loopback and returns the port.
func listen(t *testing.T, ip string, h http.Handler) int {
	t.Helper()
	s, err := standin.Start(net.JoinHostPort(ip, "0"), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.Port()
}

// closedPort is a port of loopback that refuses connections while the test runs.
func closedPort(t *testing.T, ip string) int {
	t.Helper()
	addr, release, err := standin.Closed(ip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return int(netip.MustParseAddrPort(addr).Port())
}

// yamlService is a Service in YAML whose ClusterIP is an address of loopback.
func yamlService(namespace, name, label, ip string, port int) string {
	return fmt.Sprintf(`---
{apiVersion: v1, kind: Service, metadata: {namespace: %s, name: %s, labels: {%s}},
 spec: {clusterIP: %s, selector: {app: %s}, ports: [{name: http, port: %d}]}}
`, namespace, name, label, ip, name, port)
}

const (
	strongPrometheus = "app.kubernetes.io/name: prometheus, app.kubernetes.io/component: server"
	strongGrafana    = "app.kubernetes.io/name: grafana"
)

// TestProbeDirect probes real listeners: a file's Services whose addresses are on loopback.
func TestProbeDirect(t *testing.T) {
	t.Attr("req", "DTS-CLI-1 DTS-CLI-4")
	grafana := standin.New(standin.Grafana, standin.Options{Version: "12.1.0", Credentials: standin.Credentials{Bearer: "t"}})
	ports := map[string]int{}
	for i, b := range []struct {
		name    string
		handler http.Handler // nil refuses
	}{
		{"works", standin.New(standin.Prometheus, standin.Options{Version: "3.5.0"})}, {"grafana", grafana},
		{"weak", standin.New(standin.Prometheus, standin.Options{Version: "3.4.1"})},
		{"other", standin.New(standin.Pushgateway, standin.Options{})}, {"refused", nil},
	} {
		ip, port := fmt.Sprint("127.0.0.", i+2), 0
		for port == 0 || slices.Contains(slices.Collect(maps.Values(ports)), port) { // two addresses may have the same one free
			if b.handler == nil {
				port = closedPort(t, ip)
			} else {
				port = listen(t, ip, b.handler)
			}
		}
		ports[b.name] = port
	}
	file := writeFile(t, "services.yaml",
		yamlService("obs", "works", strongPrometheus, "127.0.0.2", ports["works"])+
			yamlService("obs", "grafana", strongGrafana, "127.0.0.3", ports["grafana"])+
			yamlService("obs", "team-prometheus", "app: x", "127.0.0.4", ports["weak"])+
			yamlService("obs", "other", strongPrometheus, "127.0.0.5", ports["other"])+
			yamlService("obs", "refused", strongPrometheus, "127.0.0.6", ports["refused"]))
	var oldnew []string
	for name, p := range ports {
		oldnew = append(oldnew, strconv.Itoa(p), strings.ToUpper(name)+"_PORT")
	}
	args := []string{"-f", file, "--probe=direct", "--set", "health.tries=1"}

	r := mustRun(t, append([]string{"discover", "--all", "-o", "json"}, args...)...)
	golden(t, "probe-json", steady(r.out, oldnew...))
	for _, name := range []string{"works", "grafana", "team-prometheus", "other", "refused"} {
		r := mustRun(t, append([]string{"explain", "obs/" + name}, args...)...)
		golden(t, "probe-explain-"+name, steady(r.out, oldnew...))
	}
	r = mustRun(t, append([]string{"generate", "--key", "custom_toolset.yaml"}, args...)...)
	golden(t, "probe-generate", steady(r.out, oldnew...))
	golden(t, "probe-generate-stderr", steady(r.err, oldnew...))
	for _, r := range grafana.Requests() {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s %s carries credentials", r.Method, r.Path)
		}
	}
}

// TestInterrupt: a signal while backends hang, or while standard input does, ends the command at once with one line.
func TestInterrupt(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	hanging := func() (h http.HandlerFunc, asked chan struct{}) { // each its own: what comes late is another's
		asked = make(chan struct{}, 1)
		return func(_ http.ResponseWriter, r *http.Request) {
			select {
			case asked <- struct{}{}:
			default:
			}
			<-r.Context().Done()
		}, asked
	}
	backends, probed := hanging()
	var services strings.Builder
	for i := range 20 {
		ip := fmt.Sprintf("127.0.1.%d", i+1)
		services.WriteString(yamlService("obs", fmt.Sprintf("prometheus-%d", i), strongPrometheus, ip, listen(t, ip, backends)))
	}
	cluster := func() (kubeconfig string, asked chan struct{}) {
		h, asked := hanging()
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return writeKubeconfig(t, srv.URL), asked
	}
	ofDiscover, discovered := cluster()
	ofDiff, compared := cluster()
	fifo := filepath.Join(t.TempDir(), "pipe") // nobody writes to it
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(io.Writer) {}
	tests := []struct {
		name    string
		args    []string
		code    int
		waiting func(stdin io.Writer) // returns when the command has got to the point
	}{
		{"probes", []string{"discover", "-f", writeFile(t, "services.yaml", services.String()), "--probe=direct", "--set", "health.timeout=5m"}, exitError, func(io.Writer) { <-probed }},
		{"standard input", []string{"discover", "-f", "-"}, exitError, func(stdin io.Writer) { _, _ = stdin.Write([]byte("apiVersion")) }},
		{"validate", []string{"validate", "-"}, exitError, func(stdin io.Writer) { _, _ = stdin.Write([]byte("apiVersion")) }},
		{"pipe for -f", []string{"discover", "-f", fifo}, exitError, at},
		{"pipe for --config", []string{"discover", "-f", clusterFile, "--config", fifo}, exitError, at},
		{"pipe for --overrides", []string{"generate", "-f", clusterFile, "--overrides", fifo}, exitError, at},
		{"pipe to validate", []string{"validate", fifo}, exitError, at},
		{"pipe for serve", []string{"serve", "-f", fifo, "--out", t.TempDir()}, exitError, at},
		{"API server", []string{"discover", "--kubeconfig", ofDiscover}, exitError, func(io.Writer) { <-discovered }},
		{"diff", []string{"diff", "--kubeconfig", ofDiff, "-f", clusterFile}, exitUsage, func(io.Writer) { <-compared }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			silent, writer := net.Pipe()
			defer writer.Close()
			var out, errs bytes.Buffer
			code := make(chan int)
			go func() {
				code <- Run(ctx, "dynamic-toolset", tt.args, Streams{In: silent, Out: &out, Err: &errs})
			}()
			tt.waiting(writer)
			begin := time.Now()
			interrupt()
			if got := <-code; got != tt.code || out.Len() > 0 || errs.String() != "error: interrupted\n" {
				t.Errorf("exit code %d\nstdout: %s\nstderr: %s", got, out.String(), errs.String())
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func wantsCredentials() http.Handler {
	return standin.New(standin.Grafana, standin.Options{Credentials: standin.Credentials{Bearer: "t"}})
}
