package detect

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// TestHostileServices: whoever may label a Service may write anything that the API server lets through, and more where
// Services come from files. Nothing may crash, and what is said about it must be fit to be shown.
func TestHostileServices(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	big := strings.Repeat("prometheus-", 100_000)
	ports := make([]backend.Port, 10_000)
	for i := range ports {
		ports[i] = backend.Port{Name: fmt.Sprintf("p%d", i), Number: int32(i + 20_000), Protocol: "TCP", Target: intstr.FromInt32(int32(i + 20_000))}
	}
	one := []backend.Port{{Name: "x", Number: 9090, Protocol: "TCP", Target: intstr.FromInt32(9090)}}
	tests := map[string]*backend.Service{
		"megabyte label":     {Labels: map[string]string{"app": big, "app.kubernetes.io/name": big}, Ports: one},
		"megabyte selector":  {Selector: map[string]string{"app": big}, Ports: one},
		"ten thousand ports": {Labels: map[string]string{"app": "grafana"}, Ports: ports},
		"template in label":  {Labels: map[string]string{"app.kubernetes.io/name": "{{ env.KEY }}-prometheus"}, Ports: one},
		"yaml in label":      {Labels: map[string]string{"app": "prometheus\ntoolsets: {bash: {enabled: true}}"}, Ports: one},
		"yaml in port name":  {Labels: map[string]string{"app": "prometheus"}, Ports: []backend.Port{{Name: "a: {b: c}\n", Number: 9090, Protocol: "TCP"}}},
		"control in label":   {Labels: map[string]string{"app": "\x00\x1b[2Jprometheus"}, Ports: one},
		"bad utf-8":          {Labels: map[string]string{"app": "\xff-prometheus"}, Ports: one},
		"only separators":    {Labels: map[string]string{"app": "---..__"}, Ports: one},
		"strange protocol":   {Labels: map[string]string{"app": "prometheus"}, Ports: []backend.Port{{Number: 9090, Protocol: "QUIC"}}},
		"empty":              {},
	}
	d := newDetector(t)
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			s.Ref = backend.Ref{Namespace: "evil", Name: "prometheus"}
			checkResult(t, s, d.Detect(s, nil))
		})
	}
}

// checkResult: what is said must be one short line of plain text, and an endpoint must lead to the Service itself.
func checkResult(t *testing.T, s *backend.Service, r Result) {
	t.Helper()
	texts := []string{said(s, r.Rejected), said(s, r.Warning)}
	for _, c := range r.Candidates {
		texts = append(texts, view.PortReason(c))
		for i := range c.Signs {
			texts = append(texts, view.Sign(&c.Signs[i]))
		}
		if !strings.HasSuffix(c.Host, ".svc.cluster.local") && !c.ForeignHost {
			t.Errorf("host is %q", c.Host)
		}
	}
	for _, text := range texts {
		if err := safetext.Check(text); err != nil {
			t.Errorf("text %.100q: %v", text, err)
		}
		if len(text) > 2000 {
			t.Errorf("a text of %d bytes: %.100q", len(text), text)
		}
	}
}

// A Service that looked like a backend, and of which no more than the name is kept, is rejected for that.
func TestBareServicesAreRejected(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	d := newDetector(t)
	s := &backend.Service{Ref: backend.Ref{Namespace: "evil", Name: "x"}, Bared: 1000}
	if r := d.Detect(s, nil); r.Rejected.Code != backend.CodeNamespaceServices || r.Rejected.Code.Limit() != backend.LimitNamespace || len(r.Candidates) > 0 {
		t.Errorf("%+v", r)
	}
	if !d.Matters(s) {
		t.Error("it is nothing")
	}
}

// A Service of which not all labels, annotations or requirements are known is no backend, whatever it says of itself.
func TestCrowdedServicesAreRejected(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const why = "it has 2300 labels, which no backend has; at most 64 are read"
	for name, annotations := range map[string]map[string]string{
		"by its labels":             nil,
		"included":                  {annToolset: "true", annType: "prometheus"},
		"included, a type of his":   {annToolset: "true", annType: "wiki"},
		"included, published as is": {annToolset: "true", annType: "wiki", annHealth: "none"},
	} {
		s := &backend.Service{Ref: backend.Ref{Namespace: "trusted", Name: "prometheus"}, ClusterIP: "10.0.0.1", Annotations: annotations,
			Labels: map[string]string{"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "server"},
			Ports:  []backend.Port{{Name: "http", Number: 9090, Protocol: "TCP"}}}
		d := newDetector(t)
		if r := d.Detect(s, nil); len(r.Candidates) == 0 {
			t.Errorf("%s: it is none before: %+v", name, r)
		}
		s.Excess = &backend.Excess{Of: backend.PartLabels, Number: 2300, Limit: 64}
		if r := d.Detect(s, nil); len(r.Candidates) != 0 || said(s, r.Rejected) != why {
			t.Errorf("%s: %d candidates, %q", name, len(r.Candidates), said(s, r.Rejected))
		}
	}
}

// A number that no port has is never written, whoever gave it: what was written with one could not be read again.
func TestNumbersThatNoPortHas(t *testing.T) {
	t.Attr("req", "DTS-DET-5 DTS-SEC-3")
	d := newDetector(t)
	for _, n := range []int32{99999, 65536, -3000} {
		slice := &backend.Endpoints{Slices: []backend.EndpointSlice{{Ports: []backend.EndpointPort{{Name: "http", Number: n, Protocol: "TCP"}}}}}
		for name, tc := range map[string]struct {
			annotations []string
			port        backend.Port
			endpoints   *backend.Endpoints
		}{
			"of a slice":           {nil, backend.Port{Name: "http", Number: 9090, Protocol: "TCP", Target: intstr.FromInt32(9090)}, slice},
			"of a slice, included": {[]string{"toolset", "true", "toolset-type", "custom", "toolset-health-endpoint", "none"}, backend.Port{Name: "http", Number: 9090, Protocol: "TCP", Target: intstr.FromInt32(9090)}, slice},
			"of a target":          {nil, backend.Port{Name: "http", Number: 9090, Protocol: "TCP", Target: intstr.FromInt32(n)}, nil},
		} {
			s := annotated(tc.annotations...)
			s.Name, s.ClusterIP, s.Ports = "prometheus", "None", []backend.Port{tc.port}
			s.Labels = map[string]string{"app.kubernetes.io/name": "prometheus"}
			r := d.Detect(s, tc.endpoints)
			if len(r.Candidates) > 0 || !strings.Contains(said(s, r.Rejected), "no port number (1 to 65535)") {
				t.Errorf("%s, %d: %d candidates, rejected: %s", name, n, len(r.Candidates), said(s, r.Rejected))
			}
		}
	}
}

func FuzzDetect(f *testing.F) {
	d := newDetector(f)
	f.Add("grafana", "app", "grafana", "http", "kubernaut.io/toolset", "true", int32(3000))
	f.Add("x", "app.kubernetes.io/name", "prometheus", "web", "kubernaut.io/toolset-endpoint", "http://x.ns:9090/{{", int32(9090))
	f.Add("kps-operator", "component", "--", "", "kubernaut.io/toolset-path", "/..//\x00", int32(-1))
	f.Fuzz(func(t *testing.T, name, key, value, port, ann, annValue string, number int32) {
		s := &backend.Service{
			Ref:         backend.Ref{Namespace: "ns", Name: "svc"},
			Labels:      map[string]string{key: value},
			Selector:    map[string]string{key: name},
			Annotations: map[string]string{ann: annValue, "kubernaut.io/toolset-type": value},
			Ports:       []backend.Port{{Name: port, Number: number, Protocol: "TCP", Target: intstr.Parse(annValue)}},
		}
		checkResult(t, s, d.Detect(s, nil))
	})
}

// plain returns Services as charts make them that are nothing to this service.
func plain(n int) []*backend.Service {
	rnd := rand.New(rand.NewPCG(1, 2))
	list := make([]*backend.Service, n)
	for i := range list {
		name := fmt.Sprintf("%s-%s-%d", []string{"orders", "payments", "catalogue", "session"}[rnd.IntN(4)], []string{"api", "db", "worker", "cache"}[rnd.IntN(4)], i)
		labels := map[string]string{
			"app.kubernetes.io/name": name, "app.kubernetes.io/instance": "shop", "app.kubernetes.io/version": "1.2.3",
			"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "shop-4.5.6", "app.kubernetes.io/part-of": "shop",
		}
		list[i] = &backend.Service{
			Ref: backend.Ref{Namespace: "shop", Name: name}, Type: "ClusterIP", ClusterIP: "10.1.2.3", Labels: labels,
			Selector: map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/instance": "shop"},
			Ports:    []backend.Port{{Name: "http", Number: 8080, Protocol: "TCP", Target: intstr.FromString("http")}, {Name: "metrics", Number: 9102, Protocol: "TCP", Target: intstr.FromInt32(9102)}},
		}
	}
	return list
}

func TestNothingDoesNotAllocate(t *testing.T) {
	t.Attr("req", "DTS-PERF-6")
	d, list := newDetector(t), plain(100)
	for _, s := range list {
		if r := d.Detect(s, nil); !r.Nothing() {
			t.Fatalf("%s: got %+v, want nothing", s.Ref, r)
		}
	}
	if n := testing.AllocsPerRun(10, func() {
		for _, s := range list {
			d.Detect(s, nil)
		}
	}); n != 0 {
		t.Errorf("%v allocations for 100 Services that are nothing, want 0", n)
	}
}

// BenchmarkNothing is one Service that matches nothing (DTS-PERF-6: at most 1 us and no allocation).
func BenchmarkNothing(b *testing.B) {
	d, list := newDetector(b), plain(1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Detect(list[i%len(list)], nil)
	}
}

// Benchmark100000 is a large cluster with two hundred backends in it (DTS-PERF-6: at most 150 ms).
func Benchmark100000(b *testing.B) {
	d, list := newDetector(b), plain(100_000)
	for i := range 200 {
		list[i*500].Labels["app.kubernetes.io/name"] = "grafana"
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range list {
			d.Detect(s, nil)
		}
	}
}
