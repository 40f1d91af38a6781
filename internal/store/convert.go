package store

import (
	"net/netip"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	netutils "k8s.io/utils/net"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// ownAnnotations are always kept.
const ownAnnotations = "kubernaut.io/"

// several are the addresses of a dual-stack Service; nil where there is but one.
func several(ips []string) []string {
	if len(ips) < 2 {
		return nil
	}
	return ips
}

// FromService takes from a Service what detection reads. Of the annotations it keeps this project's own and those that
// keep (which may be nil) says yes to. Labels and selector are shared with s, not copied. What is far more than
// charts and owners write is cut.
func FromService(s *corev1.Service, keep func(key string) bool) backend.Service {
	out := backend.Service{
		Ref:          backend.Ref{Namespace: s.Namespace, Name: s.Name},
		UID:          string(s.UID),
		Created:      utc(s.CreationTimestamp.Time),
		Type:         serviceType(string(s.Spec.Type)),
		ClusterIP:    s.Spec.ClusterIP,
		ClusterIPs:   several(s.Spec.ClusterIPs),
		ExternalName: s.Spec.ExternalName,
		Labels:       s.Labels,
		Annotations:  keptAnnotations(s.Annotations, keep),
		Selector:     s.Spec.Selector,
	}
	if len(s.Spec.Ports) > 0 {
		out.Ports = make([]backend.Port, 0, len(s.Spec.Ports))
	}
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
			Name: p.Name, Number: p.Port, Protocol: protocol(string(p.Protocol)),
			Target: target(p.TargetPort, p.Port), AppProtocol: app,
		})
	}
	bound(&out)
	return out
}

// FromEndpointSlice takes from an EndpointSlice what probing reads, and the Service it belongs to, without a name for
// a slice that names none. Host names are left out.
//
// An endpoint is ready unless it says it is not, and a terminating one never is
// (https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/). Only the first address
// of an endpoint counts, as for kube-proxy; CoreDNS hands on all that a headless Service has, so that denied, where
// it is not nil, is asked about the others too, ready or not. Ports without a number, which mean any port, are left
// out, and so are numbers that no port has.
func FromEndpointSlice(s *discoveryv1.EndpointSlice, denied func(netip.Addr) bool) (service backend.Ref, slice Slice) {
	slice.Name = s.Name
	for _, p := range s.Ports {
		if p.Port != nil && !isPort(*p.Port) { // the API server takes any number here
			continue
		}
		slice.Ports = appendEndpointPort(slice.Ports, p.Name, p.Port, (*string)(p.Protocol))
	}
	if s.AddressType == discoveryv1.AddressTypeFQDN {
		slice.FQDN = true
		return ServiceOf(s), slice
	}
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		addEndpoint(&slice.EndpointSlice, e.Addresses, isReady(e.Conditions.Ready, e.Conditions.Terminating), denied)
	}
	return ServiceOf(s), slice
}

// ServiceOf is the Service that an EndpointSlice belongs to; it has no name where the slice names none.
func ServiceOf(s *discoveryv1.EndpointSlice) backend.Ref {
	return backend.Ref{Namespace: s.Namespace, Name: s.Labels[discoveryv1.LabelServiceName]}
}

func isPort(n int32) bool { return 1 <= n && n <= 65535 }

func isReady(ready, terminating *bool) bool {
	return (ready == nil || *ready) && (terminating == nil || !*terminating)
}

func appendEndpointPort(
	ports []backend.EndpointPort, name *string, number *int32, proto *string,
) []backend.EndpointPort {
	if number == nil {
		return ports
	}
	p := backend.EndpointPort{Number: *number, Protocol: protocolTCP}
	if name != nil {
		p.Name = *name
	}
	if proto != nil {
		p.Protocol = protocol(*proto)
	}
	return append(ports, p)
}

// addEndpoint takes from an endpoint its first address, and looks at all of them. Of a slice's addresses only some
// are kept, but none passes unseen.
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

// parseAddr reads an address as kube-proxy does, numbers with leading zeros included: an address that this service
// could not read, but kube-proxy could, would pass by the check against denied networks.
func parseAddr(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap(), a.Zone() == ""
	}
	a, ok := netip.AddrFromSlice(netutils.ParseIPSloppy(s))
	return a.Unmap(), ok
}

// IsAddress reports whether s is an address as an EndpointSlice has them.
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

// The names of protocols and types are constants rather than what was read, so that a cluster's worth of Services
// shares them.
const (
	protocolTCP  = string(corev1.ProtocolTCP)
	protocolUDP  = string(corev1.ProtocolUDP)
	protocolSCTP = string(corev1.ProtocolSCTP)
)

func protocol(s string) string {
	switch s {
	case "", protocolTCP:
		return protocolTCP
	case protocolUDP:
		return protocolUDP
	case protocolSCTP:
		return protocolSCTP
	}
	return s
}

func serviceType(s string) string {
	switch corev1.ServiceType(s) {
	case "", corev1.ServiceTypeClusterIP:
		return string(corev1.ServiceTypeClusterIP)
	case corev1.ServiceTypeNodePort:
		return string(corev1.ServiceTypeNodePort)
	case corev1.ServiceTypeLoadBalancer:
		return string(corev1.ServiceTypeLoadBalancer)
	case corev1.ServiceTypeExternalName:
		return string(corev1.ServiceTypeExternalName)
	}
	return s
}

func target(t intstr.IntOrString, port int32) intstr.IntOrString {
	if t == (intstr.IntOrString{}) || t == intstr.FromString("") {
		return intstr.FromInt32(port)
	}
	return t
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
