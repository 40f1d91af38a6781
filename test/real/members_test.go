//go:build real

package real

import (
	"slices"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// A real Thanos Query lists the sidecars to which it forwards queries, so that their Prometheus servers are its shards.
func TestMembers(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	types, err := catalog.Builtin()
	must(t, err)
	prober, err := probe.New(probe.Options{})
	must(t, err)
	for name, want := range map[string][]string{
		"thanos-query":       {"thanos-sidecar-a", "thanos-sidecar-b"},
		"thanos-query-alone": nil,
	} {
		t.Run(name, func(t *testing.T) {
			shared.need(t, append([]string{name}, want...)...)
			p := shared.processes[name]
			ref := backend.Ref{Namespace: "monitoring", Name: name}
			o := prober.Probe(t.Context(), probe.Target{Type: types.Lookup("thanos"), Candidate: &backend.Candidate{
				Service: &backend.Service{Ref: ref, ClusterIP: p.ip}, Type: "thanos",
				Host: ref.Name + "." + ref.Namespace + ".svc", PortNumber: int32(p.port), Scheme: "http",
			}})
			var sidecars []string
			for _, s := range want {
				sidecars = append(sidecars, shared.processes[s].ip)
			}
			slices.Sort(sidecars)
			if o.Outcome != backend.Ready || !slices.Equal(o.Members, sidecars) {
				t.Errorf("%s (%v), members %q, want %q", o.Outcome, o.Seen, o.Members, sidecars)
			}
		})
	}
}
