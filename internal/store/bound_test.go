package store

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// What an owner writes into a Service is not held in megabytes, and what a chart writes is held as it is.
func TestServicesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	many := func(prefix string) map[string]string {
		m := map[string]string{}
		for i := range 5000 {
			m[fmt.Sprintf("%s%05d", prefix, i)] = strings.Repeat("x", 60)
		}
		return m
	}
	huge := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Labels: many("l"), Annotations: many("kubernaut.io/toolset-x")}}
	huge.Annotations["kubernaut.io/toolset"] = "true"
	huge.Annotations["kubernaut.io/toolset-description"] = strings.Repeat("ä", 100_000)
	huge.Spec.Selector = many("s")
	huge.Spec.Ports = slices.Repeat([]corev1.ServicePort{{Port: 80, AppProtocol: new(strings.Repeat("x", 300))}}, 20_000)
	s := FromService(huge, nil)
	size := func(m map[string]string) (n int) {
		for k, v := range m {
			n += len(k) + len(v)
		}
		return n
	}
	if n := size(s.Labels) + size(s.Annotations) + size(s.Selector); n > 3*maxTexts || len(s.Ports) != maxPorts {
		t.Errorf("%d bytes of text and %d ports are kept", n, len(s.Ports))
	}
	if p := s.Ports[0].AppProtocol; p != "" {
		t.Errorf("of a port's protocol %d bytes are kept", len(p))
	}
	if s.Annotations["kubernaut.io/toolset"] != "true" {
		t.Error("the annotation that decides is not kept")
	}
	if n := len(s.Annotations["kubernaut.io/toolset-description"]); n <= 500 || n > maxText {
		t.Errorf("%d bytes of the description are kept: want too many to be valid, and few", n)
	}

	usual := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Labels:      map[string]string{"app.kubernetes.io/name": "prometheus"},
		Annotations: map[string]string{"kubernaut.io/toolset": "true"},
	}}
	usual.Spec.Selector = map[string]string{"app": "prometheus"}
	got := FromService(usual, nil)
	want := backend.Service{Labels: maps.Clone(usual.Labels), Annotations: maps.Clone(usual.Annotations), Selector: maps.Clone(usual.Spec.Selector), Type: "ClusterIP"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("a usual Service (-want +got):\n%s", d)
	}
}

// Thousands of short entries take more than their bytes, and are compared one by one: few are kept, and the Service says so.
func TestEntriesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	many := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprintf("kubernaut.io/k%d", i)] = ""
		}
		return m
	}
	for n, crowded := range map[int]bool{64: false, 65: true, 500: true} {
		for what, s := range map[string]*corev1.Service{
			"labels":      {ObjectMeta: metav1.ObjectMeta{Labels: many(n)}},
			"annotations": {ObjectMeta: metav1.ObjectMeta{Annotations: many(n)}},
			"selector":    {Spec: corev1.ServiceSpec{Selector: many(n)}},
		} {
			got := FromService(s, nil)
			if kept := len(got.Labels) + len(got.Annotations) + len(got.Selector); kept != min(n, 64) {
				t.Errorf("of %d %s %d are kept", n, what, kept)
			}
			if (got.Excess != nil) != crowded || crowded && *got.Excess != (backend.Excess{Of: backend.Part(what), Number: n, Limit: maxEntries}) {
				t.Errorf("%d %s: %+v", n, what, got.Excess)
			}
		}
	}
}

// Of an EndpointSlice few addresses are kept, but none passes unseen: wherever a denied one stands.
func TestSlicesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	bad, no := netip.MustParseAddr("100.100.100.200"), false
	denied := func(a netip.Addr) bool { return a == bad }
	huge := func(change func(*discoveryv1.EndpointSlice)) *discoveryv1.EndpointSlice {
		s := &discoveryv1.EndpointSlice{AddressType: "IPv4"}
		for i := range 1000 {
			var e discoveryv1.Endpoint
			for j := range 100 {
				e.Addresses = append(e.Addresses, fmt.Sprintf("10.%d.%d.%d", i/250, i%250, j))
			}
			s.Endpoints = append(s.Endpoints, e)
		}
		change(s)
		return s
	}
	for _, tt := range []struct {
		name   string
		change func(*discoveryv1.EndpointSlice)
		denied bool
		ready  int
	}{
		{"all are allowed", func(*discoveryv1.EndpointSlice) {}, false, 1000},
		{"the first", func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses[0] = bad.String() }, true, 1000},
		{"one that is not kept", func(s *discoveryv1.EndpointSlice) { s.Endpoints[999].Addresses[0] = bad.String() }, true, 1000},
		{"a further one", func(s *discoveryv1.EndpointSlice) { s.Endpoints[999].Addresses[99] = "::ffff:100.100.100.200" }, true, 1000},
		{"one that is not ready", func(s *discoveryv1.EndpointSlice) {
			s.Endpoints[999].Conditions.Ready = &no
			s.Endpoints[999].Addresses[0] = bad.String()
		}, true, 999},
	} {
		_, s := FromEndpointSlice(huge(tt.change), denied)
		if s.Denied.IsValid() != tt.denied || tt.denied && s.Denied != bad {
			t.Errorf("%s: denied is %v", tt.name, s.Denied)
		}
		if len(s.Ready) != maxAddresses || len(s.Ready)+s.More != tt.ready {
			t.Errorf("%s: %d ready ones are kept, and %d more", tt.name, len(s.Ready), s.More)
		}
		if size := s.Size(); size > 101*24 {
			t.Errorf("%s: it takes %d bytes", tt.name, size)
		}
		e := &backend.Endpoints{Slices: []backend.EndpointSlice{s.EndpointSlice}}
		if e.ReadyCount() != tt.ready {
			t.Errorf("%s: %d are ready", tt.name, e.ReadyCount())
		}
	}
}
