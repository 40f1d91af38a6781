package files

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/internal/store"
)

// Lengths the API server allows, in bytes.
const (
	maxValue = 63  // a label's value, a port's name
	maxKey   = 317 // a label's key: a DNS name of 253, "/", 63
	maxHost  = 253
	maxUID   = 253
)

// checkService refuses what no API server would have stored, so that the stages behind may rely on it for Services from
// files too. It is no stricter than it must be: a label value with a "+" harms nobody.
func checkService(s *corev1.Service) error {
	switch s.Spec.Type {
	case "", corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeExternalName:
	default:
		return fmt.Errorf("spec.type: %s is none of ClusterIP, NodePort, LoadBalancer, ExternalName", quote(string(s.Spec.Type)))
	}
	if !isClusterIP(s.Spec.ClusterIP) {
		return fmt.Errorf("spec.clusterIP: %s is neither an IP address nor None", quote(s.Spec.ClusterIP))
	}
	if n := len(s.Spec.ClusterIPs); n > 2 { // one of each family
		return fmt.Errorf("spec.clusterIPs: %d of them, expected at most 2", n)
	}
	for _, ip := range s.Spec.ClusterIPs {
		if !isClusterIP(ip) {
			return fmt.Errorf("spec.clusterIPs: %s is neither an IP address nor None", quote(ip))
		}
	}
	if err := token(s.Spec.ExternalName, maxHost); err != nil {
		return fmt.Errorf("spec.externalName: %w", err)
	}
	if err := token(string(s.UID), maxUID); err != nil {
		return fmt.Errorf("metadata.uid: %w", err)
	}
	if err := checkMap(s.Labels); err != nil {
		return fmt.Errorf("metadata.labels%w", err)
	}
	if err := checkMap(s.Spec.Selector); err != nil {
		return fmt.Errorf("spec.selector%w", err)
	}
	for i := range s.Spec.Ports {
		if err := checkPort(&s.Spec.Ports[i]); err != nil {
			return fmt.Errorf("spec.ports[%d].%w", i, err)
		}
	}
	return nil
}

func isClusterIP(s string) bool {
	if s == "" || s == corev1.ClusterIPNone {
		return true
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

func checkPort(p *corev1.ServicePort) error {
	if err := portNumber(p.Port); err != nil {
		return fmt.Errorf("port: %w", err)
	}
	if p.TargetPort.IntVal != 0 {
		if err := portNumber(p.TargetPort.IntVal); err != nil {
			return fmt.Errorf("targetPort: %w", err)
		}
	}
	if err := token(p.TargetPort.StrVal, maxValue); err != nil {
		return fmt.Errorf("targetPort: %w", err)
	}
	if err := checkNameAndProtocol(p.Name, p.Protocol); err != nil {
		return err
	}
	if err := token(ptr.Deref(p.AppProtocol, ""), maxKey); err != nil {
		return fmt.Errorf("appProtocol: %w", err)
	}
	return nil
}

// checkSlice does the same for an EndpointSlice.
func checkSlice(s *discoveryv1.EndpointSlice) error {
	for i, p := range s.Ports {
		if p.Port == nil {
			continue
		}
		if err := portNumber(*p.Port); err != nil {
			return fmt.Errorf("ports[%d].port: %w", i, err)
		}
		if err := checkNameAndProtocol(ptr.Deref(p.Name, ""), ptr.Deref(p.Protocol, "")); err != nil {
			return fmt.Errorf("ports[%d].%w", i, err)
		}
	}
	switch s.AddressType {
	case discoveryv1.AddressTypeFQDN:
		return nil
	case discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6:
	default:
		return fmt.Errorf("addressType: %s is none of IPv4, IPv6, FQDN", quote(string(s.AddressType)))
	}
	for i := range s.Endpoints {
		if a := s.Endpoints[i].Addresses; len(a) > 0 && !store.IsAddress(a[0]) {
			return fmt.Errorf("endpoints[%d].addresses[0]: %s is no IP address", i, quote(a[0]))
		}
	}
	return nil
}

func checkNameAndProtocol(name string, proto corev1.Protocol) error {
	switch proto {
	case "", corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP:
	default:
		return fmt.Errorf("protocol: %s is none of TCP, UDP, SCTP", quote(string(proto)))
	}
	if err := token(name, maxValue); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	return nil
}

func portNumber(n int32) error {
	if n < 1 || n > 65535 {
		return fmt.Errorf("%d is no port number (1 to 65535)", n)
	}
	return nil
}

// checkMap looks at the keys and values of labels. Its error begins with the key in brackets; of several bad ones the
// first by name is reported.
func checkMap(m map[string]string) error {
	var bad []string
	for k, v := range m {
		if !isToken(k, maxKey) || !isToken(v, maxValue) {
			bad = append(bad, k)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	k := slices.Min(bad)
	if err := token(k, maxKey); err != nil {
		return fmt.Errorf(": the key %w", err)
	}
	return fmt.Errorf("[%s]: %w", k, token(m[k], maxValue))
}

func token(s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("%s is %d bytes long, %d are allowed", quote(s), len(s), limit)
	}
	if !isToken(s, limit) {
		return fmt.Errorf("%s holds characters that are not allowed there", quote(s))
	}
	return nil
}

// isToken says that s is at most limit bytes long and made of what labels, port names and host names consist of: nothing
// that a terminal, a URL, YAML or a template engine would take for more than text.
func isToken(s string, limit int) bool {
	if len(s) > limit {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == '/', c == '+', c == ':':
		default:
			return false
		}
	}
	return true
}

// checkLabelName wants a DNS label (RFC 1123): lower-case letters, digits and "-", at most 63 of them.
func checkLabelName(field, s string) error {
	if s == "" {
		return fmt.Errorf("%s is missing", field)
	}
	if !isLabelName(s) {
		return fmt.Errorf("%s: %s is no DNS label (lower-case letters, digits and -, 63 at most)", field, quote(s))
	}
	return nil
}

func isLabelName(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 }

// quote makes foreign text fit for a line of output: escaped and cut.
func quote(s string) string {
	const shown = 60
	if len(s) > shown {
		return strconv.QuoteToASCII(s[:shown]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
