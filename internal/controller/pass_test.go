package controller

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// listed is an empty store as commands fill it.
func listed(d *detect.Detector) *store.Store {
	return store.New(store.Options{Relevant: d.Matters, SlicesOptional: true})
}

func ref(namespace, name string) backend.Ref { return backend.Ref{Namespace: namespace, Name: name} }

// on is a Service with one port.
func on(namespace, name string, port int32, labels map[string]string) backend.Service {
	s := in(namespace, plain(name))
	s.Labels, s.Ports[0].Number, s.Ports[0].Target = labels, port, intstr.FromInt32(port)
	s.Selector = map[string]string{"app": name}
	return s
}

// prober knows what answers where: a Service's real type, "" for nobody.
type prober struct {
	is     map[backend.Ref]string
	denier *probe.Prober // nil denies nothing
	asked  []string      // types and Services
	wrong  []string      // targets whose type is not the candidate's
}

func (p *prober) Denied(t probe.Target) (o backend.Observation, denied bool) {
	if p.denier == nil {
		return o, false
	}
	return p.denier.Denied(t)
}

func all(*backend.Candidate) bool  { return true }
func none(*backend.Candidate) bool { return false }

func unseen(int, int) {}

func (p *prober) ProbeAll(ctx context.Context, targets []probe.Target, done func(int, backend.Observation)) []backend.Observation {
	var out []backend.Observation
	for i, t := range targets {
		c := t.Candidate
		p.asked = append(p.asked, c.Type+" "+c.Service.Ref.String())
		if t.Type == nil || t.Type.Type != c.Type {
			p.wrong = append(p.wrong, c.Type)
		}
		o := backend.Observation{Scheme: c.Scheme, Path: c.Path, At: time.Unix(1, 0)}
		switch is := p.is[c.Service.Ref]; {
		case ctx.Err() != nil:
			o = backend.Observation{Outcome: backend.Unprobed}
		case t.Endpoints != nil && t.Endpoints.ReadyCount() == 0:
			o.Outcome = backend.NoEndpoints
		case is == c.Type:
			o.Outcome, o.Identity = backend.Ready, true
		case is == "":
			o.Outcome, o.Seen.Code = backend.Unreachable, backend.CodeConnectionRefused
		default:
			o.Outcome, o.Seen.Code = backend.WrongIdentity, backend.CodeWrongAnswer
		}
		out = append(out, o)
		done(i, o)
	}
	return out
}

// verdicts are findings as "namespace/name type verdict".
func verdicts(findings []*backend.Finding) (out []string) {
	for _, f := range findings {
		out = append(out, f.Ref.String()+" "+f.Type+" "+string(f.Verdict))
	}
	return out
}

func TestPass(t *testing.T) {
	t.Attr("req", "DTS-DET-3 DTS-PRB-2")
	types, detector := builtin(t)
	fill := func() *store.Store {
		c := listed(detector)
		for _, name := range []string{"search-1", "search-2", "search-3"} { // a word and a port of Elasticsearch and OpenSearch
			c.Service(on("a", name, 9200, nil))
		}
		c.Service(grafana("b"))
		c.Service(grafana("c"))
		c.Slice(ref("c", "grafana"), store.Slice{Name: "grafana-1"})
		// A component that some type's rule looks at makes it no more than any other Service.
		c.Service(on("b", "shop", 8080, map[string]string{"app.kubernetes.io/name": "checkout", "app.kubernetes.io/component": "server"}))
		return c
	}
	answers := map[backend.Ref]string{
		ref("a", "search-1"): "opensearch", ref("a", "search-2"): "elasticsearch", ref("a", "search-3"): "something else",
		ref("b", "grafana"): "grafana", ref("c", "grafana"): "grafana",
	}
	tests := []struct {
		name   string
		prober *prober
		probes func(*backend.Candidate) bool
		want   []string
		asked  int
	}{
		{"not probed", &prober{}, none, []string{
			"b/grafana grafana accepted", "c/grafana grafana unavailable",
			"a/search-1 elasticsearch unconfirmed", "a/search-2 elasticsearch unconfirmed", "a/search-3 elasticsearch unconfirmed",
		}, 0},
		{"probed", &prober{is: answers}, all, []string{
			"b/grafana grafana accepted", "a/search-2 elasticsearch accepted", "a/search-1 opensearch accepted",
			"c/grafana grafana unavailable", "a/search-3 elasticsearch rejected",
		}, 8},
		{"nobody answers", &prober{}, all, []string{
			"b/grafana grafana unavailable", "c/grafana grafana unavailable",
			"a/search-1 elasticsearch unconfirmed", "a/search-2 elasticsearch unconfirmed", "a/search-3 elasticsearch unconfirmed",
		}, 8},
		{"one namespace probed", &prober{is: answers}, func(c *backend.Candidate) bool { return c.Service.Namespace == "a" }, []string{
			"b/grafana grafana accepted", "a/search-2 elasticsearch accepted", "a/search-1 opensearch accepted", "c/grafana grafana unavailable",
			"a/search-3 elasticsearch rejected",
		}, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var progress [][2]int
			p := Pass{
				Catalog: types, Detector: detector, Prober: tt.prober, Probes: tt.probes,
				Progress: func(done, total int) { progress = append(progress, [2]int{done, total}) },
			}
			findings, err := p.Run(t.Context(), fill())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, verdicts(findings)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var want [][2]int
			for i := range tt.asked + 1 {
				want = append(want, [2]int{i, tt.asked})
			}
			if diff := cmp.Diff(want, progress); diff != "" {
				t.Errorf("progress (-want +got)\n%s", diff)
			}
			if len(tt.prober.wrong) > 0 {
				t.Errorf("targets with another type than the candidate's: %v", tt.prober.wrong)
			}
			slices.Sort(tt.prober.asked)
			if n := len(slices.Compact(tt.prober.asked)); n != tt.asked {
				t.Errorf("asked %d times: %v", n, tt.prober.asked)
			}
		})
	}
}

func TestPassInterrupted(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	types, detector := builtin(t)
	c := listed(detector)
	c.Service(grafana("a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := Pass{Catalog: types, Detector: detector, Prober: new(prober), Probes: all, Progress: unseen}
	if findings, err := p.Run(ctx, c); !errors.Is(err, context.Canceled) || findings != nil {
		t.Errorf("half a discovery is handed on: %v, %v", verdicts(findings), err)
	}
}

// TestPassDenied: a denied address rejects what its owner wants published unproven and what answers, probed or not.
func TestPassDenied(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	types, detector := builtin(t)
	denier, err := probe.New(probe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	unproven := map[string]string{
		"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "meta", "kubernaut.io/toolset-health-endpoint": "none",
		"kubernaut.io/toolset-path": "/latest/meta-data",
	}
	fill := func() *store.Store {
		c := listed(detector)
		for _, s := range []struct {
			name, address string
			annotations   map[string]string
		}{
			{"pods", "10.1.2.3", unproven}, {"alibaba", "100.100.100.200", unproven}, {"azure", "168.63.129.16", unproven},
			{"aws", "fd00:ec2::254", unproven}, {"nat64", "64:ff9b::a9fe:a9fe", unproven}, {"swapped", "100.100.100.200", nil},
		} {
			service := grafana("evil")
			service.Name, service.Selector, service.Annotations = s.name, nil, s.annotations
			if s.annotations != nil {
				service.Labels = nil
			}
			c.Service(service)
			ready := backend.EndpointSlice{Ready: []netip.Addr{netip.MustParseAddr(s.address)}}
			c.Slice(service.Ref, store.Slice{Name: s.name, EndpointSlice: ready})
		}
		return c
	}
	want := []string{
		"evil/pods meta accepted", "evil/swapped grafana rejected",
		"evil/alibaba meta rejected", "evil/aws meta rejected", "evil/azure meta rejected", "evil/nat64 meta rejected",
	}
	for _, probes := range []func(*backend.Candidate) bool{none, func(c *backend.Candidate) bool { return !c.Unproven }} {
		p := &prober{denier: denier, is: map[backend.Ref]string{ref("evil", "swapped"): "grafana"}}
		pass := Pass{Catalog: types, Detector: detector, Prober: p, Probes: probes, Progress: unseen}
		findings, err := pass.Run(t.Context(), fill())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, verdicts(findings)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if len(p.asked) > 0 {
			t.Errorf("asked: %v", p.asked)
		}
	}
}
