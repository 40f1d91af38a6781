package files

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/test/standin"
)

var (
	_ controller.Source = (*Source)(nil)
	_ controller.Output = (*Output)(nil)
)

// always leads.
type leads struct{}

func (leads) Leading() bool            { return true }
func (leads) Term() int                { return 1 }
func (leads) Changed() <-chan struct{} { return nil }

type noEvents struct{}

func (noEvents) ConfigMap(bool, string, string)                 {}
func (noEvents) Service(*backend.Service, bool, string, string) {}
func (noEvents) Clear(*backend.Service)                         {}

// backendOf is a Service in front of a stand-in.
func backendOf(t *testing.T, name string, kind standin.Kind) string {
	t.Helper()
	server, err := standin.Start("127.0.0.1:0", standin.New(kind, standin.Options{}))
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	_, port, err := net.SplitHostPort(server.Addr)
	must(t, err)
	return fmt.Sprintf(`---
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: ns, labels: {app.kubernetes.io/name: %s}}
spec: {clusterIP: 127.0.0.1, selector: {app: %s}, ports: [{name: http, port: %s}]}
`, name, kind, name, port)
}

// Everything as it runs, but for the commands around it.
func TestControllerOnFiles(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	top := t.TempDir()
	path, dir := filepath.Join(top, "services.yaml"), filepath.Join(top, "toolsets")
	prometheus, loki := backendOf(t, "prometheus", standin.Prometheus), backendOf(t, "loki", standin.Loki)
	write(t, path, prometheus)

	types, err := catalog.Builtin()
	must(t, err)
	detector, err := detect.New(types, detect.Options{})
	must(t, err)
	prober, err := probe.New(probe.Options{})
	must(t, err)
	source := NewSource([]string{path}, SourceOptions{
		ReadOptions: ReadOptions{KeepAnnotation: detector.KeepAnnotation}, Store: store.Options{Relevant: detector.Matters},
	})
	lock, err := Lock(dir)
	must(t, err)
	t.Cleanup(func() { _ = lock.Close() }) // after all that runs has ended
	output, err := NewOutput(dir, OutputOptions{Lock: lock})
	must(t, err)
	monitor := health.New(prober, health.Options{Interval: time.Minute, Threshold: 3, Concurrency: 4})
	c := controller.New(source, output, leads{}, monitor, controller.Options{
		Catalog: types, Detector: detector,
		Toolset: toolset.Options{Types: types.Types, Baseline: []string{"kubernetes/core"}, GenerationMarker: true},
		Settle:  20 * time.Millisecond, Interval: time.Hour, Resync: time.Hour,
		Report: &controller.Report{
			Metrics: server.NewMetrics("test", nil), Events: noEvents{}, History: new(controller.Changes),
			Log: slog.New(slog.DiscardHandler),
		},
	})
	background(t, output.Run)
	background(t, monitor.Run)
	background(t, c.Run)
	must(t, source.Load(t.Context()))
	background(t, source.Run)

	read := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name)) // it may not be there
		return string(b)
	}
	holds := func(what string, wanted ...string) {
		t.Helper()
		defer func() {
			if t.Failed() {
				t.Logf("%s:\n%s", what, read(document))
			}
		}()
		within(t, what, func() bool {
			text := read(document)
			for _, w := range wanted {
				w, unwanted := strings.CutPrefix(w, "-")
				if strings.Contains(text, w) == unwanted {
					return false
				}
			}
			return text != ""
		})
	}
	holds("at first", "ns/prometheus", "-ns/loki")
	write(t, path, prometheus+loki)
	holds("another Service", "ns/prometheus", "ns/loki")
	good := read(document)
	write(t, path, "rub: bish: ")
	within(t, "the error", func() bool { return source.Err() != nil })
	must(t, os.Remove(filepath.Join(dir, document)))
	within(t, "the last good comes back", func() bool { return read(document) == good })
	write(t, filepath.Join(dir, toolset.KeyOverrides), "toolsets: {mine: {enabled: true}}\n")
	holds("overrides", "mine:", "ns/prometheus", "ns/loki")
	must(t, os.Rename(dir, dir+".away"))
	within(t, "the directory comes back", func() bool {
		return strings.Contains(read(toolset.KeyOverrides), "mine:") && read(toolset.KeyState) != ""
	})
	holds("with its overrides in force", "mine:", "ns/prometheus", "ns/loki")
	write(t, path, loki)
	holds("a Service less", "mine:", "-ns/prometheus", "ns/loki")
	must(t, os.Remove(filepath.Join(dir, toolset.KeyOverrides)))
	holds("overrides removed", "-mine:", "ns/loki")
}
