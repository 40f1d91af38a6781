package store

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

var compareAddr = cmpopts.EquateComparable(netip.Addr{})

func TestFromService(t *testing.T) {
	t.Attr("req", "DTS-DET-5")
	http := "kubernetes.io/h2c"
	created := time.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC)
	in := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name: "grafana", Namespace: "obs", UID: "u1",
			CreationTimestamp: metav1.NewTime(created.In(time.FixedZone("x", 3600))),
			Labels:            map[string]string{"app": "grafana"},
			Annotations:       map[string]string{"kubernaut.io/toolset": "true", "prometheus.io/port": "1", "example.com/x": "y"},
		},
		Spec: corev1.ServiceSpec{
			ClusterIP: "10.0.0.1",
			Selector:  map[string]string{"app": "grafana"},
			Ports: []corev1.ServicePort{
				{Port: 80},
				{Name: "a", Port: 81, Protocol: corev1.ProtocolUDP, TargetPort: intstr.FromString("web"), AppProtocol: &http},
				{Name: "b", Port: 82, TargetPort: intstr.FromString("")},
				{Name: "c", Port: 83, TargetPort: intstr.FromInt32(8083)},
				{Name: "d", Port: 65536}, {Name: "e", Port: -1}, {Name: "f", Port: 84, TargetPort: intstr.FromInt32(99999)}, // no ports
			},
		},
	}
	want := backend.Service{
		Ref: backend.Ref{Namespace: "obs", Name: "grafana"}, UID: "u1", Created: created,
		Type: "ClusterIP", ClusterIP: "10.0.0.1",
		Labels:      map[string]string{"app": "grafana"},
		Annotations: map[string]string{"kubernaut.io/toolset": "true", "prometheus.io/port": "1"},
		Selector:    map[string]string{"app": "grafana"},
		Ports: []backend.Port{
			{Number: 80, Protocol: "TCP", Target: intstr.FromInt32(80)},
			{Name: "a", Number: 81, Protocol: "UDP", Target: intstr.FromString("web"), AppProtocol: http},
			{Name: "b", Number: 82, Protocol: "TCP", Target: intstr.FromInt32(82)},
			{Name: "c", Number: 83, Protocol: "TCP", Target: intstr.FromInt32(8083)},
		},
	}
	got := FromService(in, func(key string) bool { return strings.HasPrefix(key, "prometheus.io/") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := FromService(&corev1.Service{}, nil); got.Annotations != nil || !got.Created.IsZero() {
		t.Errorf("an empty Service gives %+v", got)
	}
}

func TestFromEndpointSlice(t *testing.T) {
	t.Attr("req", "DTS-PRB-4")
	yes, no := true, false
	udp := corev1.ProtocolUDP
	port, zero, negative, large := int32(9090), int32(0), int32(-3000), int32(99999)
	name := "web"
	endpoint := func(addr string, ready, terminating *bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: []string{addr},
			Conditions: discoveryv1.EndpointConditions{Ready: ready, Terminating: terminating}}
	}
	addrs := func(s ...string) (out []netip.Addr) {
		for _, a := range s {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	labels := map[string]string{"kubernetes.io/service-name": "prom"}
	tests := []struct {
		name      string
		in        discoveryv1.EndpointSlice
		wantRef   backend.Ref
		wantFQDN  bool
		wantSlice backend.EndpointSlice
	}{{
		name: "readiness",
		in: discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "obs", Name: "prom-x", Labels: labels}, AddressType: "IPv4",
			Endpoints: []discoveryv1.Endpoint{
				endpoint("10.0.0.1", &yes, nil), endpoint("10.0.0.2", nil, nil), endpoint("10.0.0.3", &no, nil),
				endpoint("10.0.0.4", &yes, &yes), endpoint("10.0.0.5", nil, &no), {},
				{Addresses: []string{"10.0.0.6", "100.100.100.200", "nonsense"}},
			},
			Ports: []discoveryv1.EndpointPort{{Name: &name, Port: &port}, {Port: &port, Protocol: &udp}, {Name: &name}},
		},
		wantRef: backend.Ref{Namespace: "obs", Name: "prom"},
		wantSlice: backend.EndpointSlice{
			Ports:    []backend.EndpointPort{{Name: "web", Number: 9090, Protocol: "TCP"}, {Number: 9090, Protocol: "UDP"}},
			Ready:    addrs("10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.0.6"),
			NotReady: addrs("10.0.0.3", "10.0.0.4"),
		},
	}, {
		name: "addresses are read as kube-proxy reads them",
		in: discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "obs", Labels: labels}, AddressType: "IPv6",
			Endpoints: []discoveryv1.Endpoint{
				endpoint("::ffff:169.254.169.254", nil, nil), endpoint("169.254.169.0254", nil, nil),
				endpoint("fe80::1%eth0", nil, nil), endpoint("nonsense", nil, nil),
			},
		},
		wantRef:   backend.Ref{Namespace: "obs", Name: "prom"},
		wantSlice: backend.EndpointSlice{Ready: addrs("169.254.169.254", "169.254.169.254")},
	}, {
		name: "numbers that no port has are left out, which the API server takes",
		in: discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "obs", Labels: labels}, AddressType: "IPv4",
			Ports: []discoveryv1.EndpointPort{{Name: &name, Port: &large}, {Name: &name, Port: &negative}, {Name: &name, Port: &zero}, {Name: &name, Port: &port}},
		},
		wantRef:   backend.Ref{Namespace: "obs", Name: "prom"},
		wantSlice: backend.EndpointSlice{Ports: []backend.EndpointPort{{Name: "web", Number: 9090, Protocol: "TCP"}}},
	}, {
		name: "host names are left out",
		in: discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "obs", Labels: labels}, AddressType: "FQDN",
			Endpoints: []discoveryv1.Endpoint{endpoint("example.com", nil, nil)},
		},
		wantRef: backend.Ref{Namespace: "obs", Name: "prom"}, wantFQDN: true,
	}, {
		name: "no Service",
		in:   discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "obs"}, AddressType: "IPv4"}, wantRef: backend.Ref{Namespace: "obs"},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ref, slice := FromEndpointSlice(&tt.in, nil)
			if ref != tt.wantRef || slice.FQDN != tt.wantFQDN || slice.Name != tt.in.Name {
				t.Errorf("got %v, %+v; want %v, FQDN %v", ref, slice, tt.wantRef, tt.wantFQDN)
			}
			if diff := cmp.Diff(tt.wantSlice, slice.EndpointSlice, compareAddr); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
