package openapi

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// cluster is one that does not change.
type cluster struct{ snapshot *controller.Snapshot }

func (c cluster) Snapshot() *controller.Snapshot { return c.snapshot }
func (c cluster) Updated() <-chan struct{}       { return nil }
func (c cluster) Others() []backend.Ref          { return []backend.Ref{{Namespace: "shop", Name: "cart"}} }

func (c cluster) Discover(context.Context) (*controller.Snapshot, error) { return c.snapshot, nil }

func (c cluster) IsBare(backend.Ref) bool { return false }

func (c cluster) Lookup(_ context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error) {
	for _, f := range c.snapshot.Findings {
		if f.Ref == ref {
			return f.Service, nil, nil
		}
	}
	return nil, nil, nil
}

// service is one of a chart's.
func service(namespace, name, app string, port int32) *backend.Service {
	return &backend.Service{
		Ref: backend.Ref{Namespace: namespace, Name: name}, ClusterIP: "10.0.0.1",
		Labels: map[string]string{"app.kubernetes.io/name": app, "app.kubernetes.io/instance": name},
		Ports:  []backend.Port{{Name: "http", Number: port, Protocol: "TCP"}},
	}
}

// start serves what detection makes of some Services, and returns the URL.
func start(t *testing.T) string {
	t.Helper()
	types, err := catalog.Builtin()
	must(t, err)
	detector, err := detect.New(types, detect.Options{})
	must(t, err)
	var detections []inventory.Detection
	observations := map[backend.Key]backend.Observation{}
	for _, s := range []*backend.Service{
		service("monitoring", "prometheus", "prometheus", 9090), service("monitoring", "grafana", "grafana", 80),
		service("tracing", "jaeger-query", "jaeger", 16686), service("shop", "catalogue", "catalogue", 8080),
	} {
		d := inventory.Detection{Service: s, Result: detector.Detect(s, nil)}
		for _, c := range d.Candidates {
			answered := backend.Seen{Answer: &backend.Answer{Status: 200, Text: "ok"}}
			observations[c.Key()] = backend.Observation{
				Outcome: backend.Ready, Scheme: c.Scheme, Path: c.Path, Version: "2.0.0", Identity: true, At: time.Now(),
				Requests: []backend.Request{{Purpose: "health", URL: c.Endpoint() + "/-/healthy", Seen: answered, Took: time.Millisecond}},
			}
		}
		detections = append(detections, d)
	}
	findings := inventory.Build(detections, observations, inventory.Options{Type: types.Lookup, MustProve: true})
	doc, err := toolset.Build(findings, toolset.Options{Types: types.Types, Baseline: []string{"kubernetes/core"}}, nil)
	must(t, err)
	keys, err := doc.Keys()
	must(t, err)
	var changes controller.Changes
	changes.Add(controller.Change{Kind: controller.ChangeAdded, Ref: backend.Ref{Namespace: "monitoring", Name: "prometheus"}, Type: "prometheus", Message: "new"})
	c := cluster{&controller.Snapshot{
		Findings: findings, Document: doc, Keys: keys, At: time.Now(), Discovered: true, Leading: true, DryRun: true,
	}}
	a, err := server.New(server.Options{
		State: c, Services: c, Catalog: types, Detector: detector, History: &changes, Version: "1.2.3", Target: "ns/name",
	})
	must(t, err)
	server := httptest.NewServer(a.Handler(nil))
	t.Cleanup(server.Close)
	return server.URL
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
