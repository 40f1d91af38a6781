package detect

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The port that the pods listen on says more than the Service's: a type's own one makes a candidate behind any number, alone
// and beside the product's label.
func TestOwnTargetPort(t *testing.T) {
	t.Attr("req", "DTS-DET-3 DTS-DET-5")
	d := newDetector(t)
	for _, typ := range d.types {
		var own []int32
		for _, n := range typ.Ports.Numbers {
			if typ.owns(n) {
				own = append(own, n)
			}
		}
		if len(own) == 0 {
			t.Errorf("%s has no port of its own", typ.Type.Type)
		}
		for _, n := range own {
			for _, number := range []int32{n, 80, 443, 8080, 9090, 1234} {
				for _, label := range []string{"", typ.Type.Type} {
					name := fmt.Sprintf("%s, %d->%d, label %q", typ.Type.Type, number, n, label)
					s := &backend.Service{
						Ref: backend.Ref{Namespace: "obs", Name: "x"}, ClusterIP: "10.0.0.1",
						Ports: []backend.Port{{Number: number, Protocol: "TCP", Target: intstr.FromInt32(n)}},
					}
					if label != "" {
						s.Labels = map[string]string{"app": label}
					}
					r := d.Detect(s, nil)
					if !slices.ContainsFunc(r.Candidates, func(c *backend.Candidate) bool {
						return c.Type == typ.Type.Type && c.PortNumber == number
					}) {
						t.Errorf("%s: no candidate; %s", name, said(s, r.Rejected))
					}
				}
			}
		}
	}
}
