package inventory

import (
	"fmt"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Whoever may make Services in one namespace decides how many are compared with each other.
func BenchmarkCollapse(b *testing.B) {
	for _, n := range []int{200, 5000} {
		for _, ip := range []string{"10.0.0.1", "None"} {
			b.Run(fmt.Sprintf("%d/%s", n, ip), func(b *testing.B) {
				all := make([]*backend.Finding, n)
				for i := range all {
					name := fmt.Sprintf("prometheus-%d", i)
					s := &backend.Service{
						Ref: backend.Ref{Namespace: "a", Name: name}, ClusterIP: ip, Selector: map[string]string{"app": "prometheus", "instance": name},
					}
					all[i] = &backend.Finding{Ref: s.Ref, Service: s, Type: "prometheus", Verdict: backend.Accepted, Candidate: &backend.Candidate{Service: s}}
				}
				for b.Loop() {
					collapse(all)
				}
			})
		}
	}
}
