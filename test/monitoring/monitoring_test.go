//go:build monitoring

// Package monitoring runs the built program under a real Prometheus with the chart's alert rules: every alert fires and
// clears, and every expression of the dashboard has data. Run it with: make test-monitoring
package monitoring

import (
	"flag"
	"path/filepath"
	"slices"
	"testing"

	"kubernaut.io/dynamic-toolset/test/chart/shipped"
	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

var patient = flag.Bool("patient", false, "wait until what happened is out of the windows of the alerts (half an hour), instead of dropping it")

// The namespaces of two installations. The second is one that reaches no API server.
const (
	first  = shipped.Namespace
	second = "second"
)

// bench is what the tests look at.
type bench struct {
	*prometheus
	whole    *testing.T // at its end what runs is stopped
	service  *standalone
	services string // as they are at the start
	jaeger   *standin.Backend
	holmes   *standin.Holmes
	other    *standalone      // takes the place of lost
	lost     *program.Process // reaches no API server
	panels   []panel
	driven   []string // alerts that fired and cleared
}

func TestMonitoring(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-MET-1")
	objects := delivered(t, first)
	rules, names := rulesOf(t, objects)
	others, _ := rulesOf(t, delivered(t, second))
	b := prepare(t, objects, map[string]string{"first.yaml": rules, "second.yaml": others})
	t.Run("metrics are named as Prometheus wants them", b.lint)
	t.Run("nothing fires", b.quiet)
	t.Run("a backend does not work", b.backendUnavailable)
	t.Run("HolmesGPT cannot use a toolset", b.agentToolsetFailed)
	t.Run("HolmesGPT does not take the document", b.agentStale)
	t.Run("overrides are invalid", b.overridesInvalid)
	t.Run("what is written is large", b.large)
	t.Run("no replica is scraped", b.absent)
	t.Run("somebody else changes what is written", b.drift)
	t.Run("every panel has data", b.dashboard)
	t.Run("nothing can be written", b.publishFailing)
	t.Run("no API server", b.noAPIServer)
	t.Run("nothing fires any more", b.quiet)
	for _, name := range names {
		if !slices.Contains(b.driven, name) {
			t.Errorf("%s was not made to fire and to clear", name)
		}
	}
}

// prepare starts Prometheus, then the services, so that there is a time without them.
func prepare(t *testing.T, objects shipped.Objects, rules map[string]string) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{
		whole:   t,
		service: &standalone{services: filepath.Join(dir, "services.yaml"), out: filepath.Join(dir, "out"), metrics: program.Free(t)},
		other:   &standalone{services: filepath.Join(dir, "services.yaml"), out: filepath.Join(dir, "other"), metrics: program.Free(t)},
		panels:  panelsOf(t, objects),
	}
	_, prometheus := backend(t, "prometheus", standin.Prometheus, "labels: {app.kubernetes.io/name: prometheus, app.kubernetes.io/component: server}")
	jaeger, tracing := backend(t, "jaeger", standin.Jaeger, "labels: {app.kubernetes.io/name: jaeger, app.kubernetes.io/component: query}")
	b.jaeger = jaeger
	b.services = prometheus + tracing
	write(t, b.service.services, b.services)
	b.prometheus = startPrometheus(t, monitorOf(t, objects), rules, scraped{b.service.metrics, first}, scraped{b.other.metrics, second})
	b.holmes = standin.NewHolmes(filepath.Join(b.service.out, "custom_toolset.yaml"))
	s, err := standin.Start("127.0.0.1:0", b.holmes)
	check(t, err)
	t.Cleanup(func() { _ = s.Close() })
	b.service.holmes = s.URL
	b.fires(t, first, "DynamicToolsetAbsent")
	b.service.start(t)
	b.lost = serve(t, b.other.metrics, "--server", "http://"+program.Free(t))
	for _, namespace := range []string{first, second} {
		b.clears(t, namespace, "DynamicToolsetAbsent")
	}
	return b
}
