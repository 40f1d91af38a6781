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
	endpoint := func(addr string, ready, terminating *bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: []string{addr},
			Conditions: discoveryv1.EndpointConditions{Ready: ready, Terminating: terminating}}
	}
	web := func(number int32) discoveryv1.EndpointPort {
		return discoveryv1.EndpointPort{Name: new("web"), Port: &number}
	}
	addrs := func(s ...string) []netip.Addr { return slice("", s...).Ready }
	for name, tt := range map[string]struct {
		in   discoveryv1.EndpointSlice
		want Slice
	}{
		"readiness": {discoveryv1.EndpointSlice{
			AddressType: "IPv4",
			Endpoints: []discoveryv1.Endpoint{
				endpoint("10.0.0.1", new(true), nil), endpoint("10.0.0.2", nil, nil), endpoint("10.0.0.3", new(false), nil),
				endpoint("10.0.0.4", new(true), new(true)), endpoint("10.0.0.5", nil, new(false)), {},
				{Addresses: []string{"10.0.0.6", "100.100.100.200", "nonsense"}},
			},
			Ports: []discoveryv1.EndpointPort{web(9090), {Port: new(int32(9090)), Protocol: new(corev1.ProtocolUDP)}, {Name: new("web")}},
		}, Slice{EndpointSlice: backend.EndpointSlice{
			Ports:    []backend.EndpointPort{{Name: "web", Number: 9090, Protocol: "TCP"}, {Number: 9090, Protocol: "UDP"}},
			Ready:    addrs("10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.0.6"),
			NotReady: addrs("10.0.0.3", "10.0.0.4"),
		}}},
		"addresses are read as kube-proxy reads them": {discoveryv1.EndpointSlice{
			AddressType: "IPv6",
			Endpoints: []discoveryv1.Endpoint{
				endpoint("::ffff:169.254.169.254", nil, nil), endpoint("169.254.169.0254", nil, nil),
				endpoint("fe80::1%eth0", nil, nil), endpoint("nonsense", nil, nil),
			},
		}, slice("", "169.254.169.254", "169.254.169.254")},
		"numbers that no port has are left out, which the API server takes": {discoveryv1.EndpointSlice{
			AddressType: "IPv4", Ports: []discoveryv1.EndpointPort{web(99999), web(-3000), web(0), web(9090)},
		}, Slice{EndpointSlice: backend.EndpointSlice{Ports: []backend.EndpointPort{{Name: "web", Number: 9090, Protocol: "TCP"}}}}},
		"host names are left out": {discoveryv1.EndpointSlice{
			AddressType: "FQDN", Endpoints: []discoveryv1.Endpoint{endpoint("example.com", nil, nil)},
		}, Slice{FQDN: true}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.in.Namespace, tt.in.Name, tt.want.Name = "obs", "prom-x", "prom-x"
			tt.in.Labels = map[string]string{"kubernetes.io/service-name": "prom"}
			service, got := FromEndpointSlice(&tt.in, nil)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" || service != in("obs", "prom") {
				t.Errorf("of %v (-want +got)\n%s", service, diff)
			}
			tt.in.Labels = nil
			if service, _ := FromEndpointSlice(&tt.in, nil); service != in("obs", "") {
				t.Errorf("without a Service: %v", service)
			}
		})
	}
}
