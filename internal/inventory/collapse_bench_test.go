package inventory

import (
	"fmt"
	"net/netip"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Whoever may make Services in one namespace decides how many are compared with each other.
func BenchmarkCollapse(b *testing.B) {
	for _, n := range []int{200, 5000} {
		for _, ip := range []string{"10.0.0.1", "None"} {
			b.Run(fmt.Sprintf("%d/%s", n, ip), func(b *testing.B) {
				all := make([]*backend.Finding, n)
				endpoints := map[backend.Ref]*backend.Endpoints{}
				for i := range all {
					name := fmt.Sprintf("prometheus-%d", i)
					s := &backend.Service{
						Ref: backend.Ref{Namespace: "a", Name: name}, ClusterIP: ip, Selector: map[string]string{"app": "prometheus", "instance": name},
					}
					all[i] = &backend.Finding{Ref: s.Ref, Service: s, Type: "prometheus", Verdict: backend.Accepted, Candidate: &backend.Candidate{Service: s}}
					endpoints[s.Ref] = nearlyEqual(i)
				}
				for b.Loop() {
					collapse(all, endpoints, &Options{})
				}
			})
		}
	}
}

// nearlyEqual are as many endpoints as are compared closely, of which the last alone differs.
func nearlyEqual(i int) *backend.Endpoints {
	slice := backend.EndpointSlice{Ports: []backend.EndpointPort{{Number: 9090, Protocol: "TCP"}}}
	for j := range maxTwin - 1 {
		slice.Ready = append(slice.Ready, netip.AddrFrom4([4]byte{10, 0, 0, byte(j)}))
	}
	slice.Ready = append(slice.Ready, netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}))
	return &backend.Endpoints{Slices: []backend.EndpointSlice{slice}}
}
