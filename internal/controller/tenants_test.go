package controller

import (
	"fmt"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// Candidates are made for as many tenants as are looked at, and not for all that an owner names; what was made stays as it is,
// so that nobody is asked again for it.
func TestTenantsAreMadeForWhatIsLookedAt(t *testing.T) {
	t.Attr("req", "DTS-DET-14")
	t.Attr("req", "DTS-SEC-3")
	const many, tenants = 300, 50
	var names []string
	for i := range tenants {
		names = append(names, fmt.Sprint("t", i))
	}
	var services []backend.Service
	for i := range many {
		services = append(services, aged(backend.Service{
			Ref: backend.Ref{Namespace: "evil", Name: fmt.Sprintf("loki-%03d", i)}, ClusterIP: "10.0.0.1",
			Labels:      map[string]string{"app.kubernetes.io/name": "loki", "app.kubernetes.io/component": "gateway"},
			Annotations: map[string]string{"kubernaut.io/toolset-tenant": strings.Join(names, ",")},
			Ports:       []backend.Port{{Name: "http-metrics", Number: 80, Protocol: "TCP"}},
		}, i))
	}
	const limit = 50
	c, _ := crowd(t, inventory.Options{MaxPerNamespace: limit}, services)
	for _, s := range services {
		c.source.(fakeSource).Service(s)
	}
	c.detect()
	made := 0
	for _, d := range c.detections {
		made += len(d.Candidates)
	}
	if made != many {
		t.Errorf("of %d Services with %d tenants each %d candidates are made before it is known which are looked at", many, tenants, made)
	}
	first := c.targets()
	if len(first) != limit*20 {
		t.Errorf("%d candidates are asked", len(first))
	}
	keys := map[backend.Key]bool{}
	for i, again := range c.targets() {
		keys[again.Candidate.Key()] = true
		if again.Candidate != first[i].Candidate {
			t.Fatal("a candidate is made again though nothing has changed")
		}
	}
	if len(keys) != len(first) || !keys[backend.Key{Ref: services[0].Ref, Type: "loki", Tenant: "t49"}] {
		t.Errorf("%d candidates have %d keys, or the oldest is not asked", len(first), len(keys))
	}
	c.source.(fakeSource).DeleteService(services[0].Ref)
	c.detect()
	if c.targets(); len(c.tenants) != limit*20/tenants {
		t.Errorf("those of %d Services are kept", len(c.tenants))
	}
}
