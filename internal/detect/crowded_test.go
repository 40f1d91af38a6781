package detect

import (
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

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
		d := detectorWith(t, Options{})
		if r := d.Detect(s, nil); len(r.Candidates) == 0 {
			t.Errorf("%s: it is none before: %+v", name, r)
		}
		s.Excess = &backend.Excess{Of: backend.PartLabels, Number: 2300, Limit: 64}
		if r := d.Detect(s, nil); len(r.Candidates) != 0 || said(s, r.Rejected) != why {
			t.Errorf("%s: %d candidates, %q", name, len(r.Candidates), said(s, r.Rejected))
		}
	}
}
