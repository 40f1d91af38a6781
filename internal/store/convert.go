package store

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	netutils "k8s.io/utils/net"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// ownAnnotations are always kept.
const ownAnnotations = "kubernaut.io/"

// FromService returns the parts of a Service that detection reads, cut down to the limits. It keeps the annotations of
// this project, and those for which keep returns true. keep may be nil. Labels and selector are shared with s, not
// copied.
func FromService(s *corev1.Service, keep func(key string) bool) backend.Service {
	out := backend.Service{
		Ref:          backend.Ref{Namespace: s.Namespace, Name: s.Name},
		UID:          string(s.UID),
		Created:      s.CreationTimestamp.UTC(),
		Type:         string(cmp.Or(s.Spec.Type, corev1.ServiceTypeClusterIP)),
		ClusterIP:    s.Spec.ClusterIP,
		ExternalName: s.Spec.ExternalName,
		Labels:       s.Labels,
		Annotations:  keptAnnotations(s.Annotations, keep),
		Selector:     s.Spec.Selector,
	}
	if len(s.Spec.ClusterIPs) > 1 { // dual-stack
		out.ClusterIPs = s.Spec.ClusterIPs
	}
	out.Ports = slices.Grow(out.Ports, len(s.Spec.Ports))
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		if !isPort(p.Port) || p.TargetPort.IntVal != 0 && !isPort(p.TargetPort.IntVal) {
			continue
		}
		app := ""
		if p.AppProtocol != nil && len(*p.AppProtocol) <= maxProtocol {
			app = *p.AppProtocol
		}
		out.Ports = append(out.Ports, backend.Port{
			Name: p.Name, Number: p.Port, Protocol: protocol(p.Protocol),
			Target: target(p.TargetPort, p.Port), AppProtocol: app,
		})
	}
	bound(&out)
	return out
}

// FromEndpointSlice returns the parts of an EndpointSlice that probing reads, without host names, and its Service (see
// ServiceOf).
//
// An endpoint is ready unless its conditions deny it, and a terminating one is never ready
// (https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/). Only the first address of
// an endpoint counts, as for kube-proxy. But CoreDNS returns all addresses of a headless Service. So denied, if not
// nil, checks all of them, ready or not. Ports without a valid number are left out.
func FromEndpointSlice(s *discoveryv1.EndpointSlice, denied func(netip.Addr) bool) (service backend.Ref, slice Slice) {
	slice.Name = s.Name
	for _, p := range s.Ports {
		if p.Port == nil || !isPort(*p.Port) { // the API server takes any number here
			continue
		}
		slice.Ports = append(slice.Ports, backend.EndpointPort{
			Name: ptr.Deref(p.Name, ""), Number: *p.Port, Protocol: protocol(ptr.Deref(p.Protocol, "")),
		})
	}
	if s.AddressType == discoveryv1.AddressTypeFQDN {
		slice.FQDN = true
		return ServiceOf(s), slice
	}
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		ready := ptr.Deref(e.Conditions.Ready, true) && !ptr.Deref(e.Conditions.Terminating, false)
		addEndpoint(&slice.EndpointSlice, e.Addresses, ready, denied)
	}
	return ServiceOf(s), slice
}

// ServiceOf returns the Service that an EndpointSlice belongs to. It has no name if the slice names none.
func ServiceOf(s *discoveryv1.EndpointSlice) backend.Ref {
	return backend.Ref{Namespace: s.Namespace, Name: s.Labels[discoveryv1.LabelServiceName]}
}

func isPort(n int32) bool { return 1 <= n && n <= 65535 }

// addEndpoint keeps the first address of an endpoint, if there is room, and checks all addresses with denied.
func addEndpoint(slice *backend.EndpointSlice, addresses []string, ready bool, denied func(netip.Addr) bool) {
	for i, a := range addresses {
		unseen := denied != nil && !slice.Denied.IsValid()
		if i > 0 && !unseen {
			return
		}
		addr, ok := parseAddr(a)
		if !ok {
			continue
		}
		if unseen && denied(addr) {
			slice.Denied = addr
		}
		if i == 0 {
			keepAddress(slice, addr, ready)
		}
	}
}

func keepAddress(slice *backend.EndpointSlice, addr netip.Addr, ready bool) {
	switch {
	case !ready && len(slice.NotReady) < maxAddresses:
		slice.NotReady = append(slice.NotReady, addr)
	case !ready:
	case len(slice.Ready) < maxAddresses:
		slice.Ready = append(slice.Ready, addr)
	default:
		slice.More++
	}
}

// parseAddr reads an address as kube-proxy does, also numbers with leading zeros. Otherwise an address that only
// kube-proxy can read would evade the check for denied networks.
func parseAddr(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap(), a.Zone() == ""
	}
	a, ok := netip.AddrFromSlice(netutils.ParseIPSloppy(s))
	return a.Unmap(), ok
}

// IsAddress reports whether s is a valid address of an EndpointSlice.
func IsAddress(s string) bool {
	_, ok := parseAddr(s)
	return ok
}

func keptAnnotations(all map[string]string, keep func(string) bool) map[string]string {
	var kept map[string]string
	for k, v := range all {
		if strings.HasPrefix(k, ownAnnotations) || keep != nil && keep(k) {
			if kept == nil {
				kept = make(map[string]string)
			}
			kept[k] = v
		}
	}
	return kept
}

func protocol(p corev1.Protocol) string { return string(cmp.Or(p, corev1.ProtocolTCP)) }

func target(t intstr.IntOrString, port int32) intstr.IntOrString {
	if t == (intstr.IntOrString{}) || t == intstr.FromString("") {
		return intstr.FromInt32(port)
	}
	return t
}
