package detect

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// A number that no port has is never written, whoever gave it: what was written with one could not be read again.
func TestNumbersThatNoPortHas(t *testing.T) {
	t.Attr("req", "DTS-DET-5")
	t.Attr("req", "DTS-SEC-3")
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
