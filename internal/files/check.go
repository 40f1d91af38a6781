package files

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// Lengths in bytes that the API server allows.
const (
	maxValue = 63  // a label's value, a port's name
	maxKey   = 317 // the key of a label or an annotation: a DNS name of 253, "/", 63
	maxHost  = 253
	maxUID   = 253
)

// checkService returns an error for a Service that no API server would have stored. So all stages can trust Services
// from files too. It is a little less strict: a label value with a "+" does no harm.
func checkService(s *corev1.Service) error {
	if n := len(s.Spec.ClusterIPs); n > 2 { // one of each family
		return fmt.Errorf("spec.clusterIPs: %d of them, expected at most 2", n)
	}
	if err := cmp.Or(
		labelName("metadata.namespace", s.Namespace),
		labelName("metadata.name", s.Name),
		clusterIP("spec.clusterIP", s.Spec.ClusterIP),
		clusterIP("spec.clusterIPs", s.Spec.ClusterIPs...),
		oneOf("spec.type", s.Spec.Type, corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort,
			corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeExternalName, ""),
		token("spec.externalName", s.Spec.ExternalName, maxHost),
		token("metadata.uid", string(s.UID), maxUID),
		checkMap("metadata.labels", s.Labels),
		checkKeys("metadata.annotations", s.Annotations),
		checkMap("spec.selector", s.Spec.Selector),
	); err != nil {
		return err
	}
	for i := range s.Spec.Ports {
		if err := checkPort(&s.Spec.Ports[i]); err != nil {
			return fmt.Errorf("spec.ports[%d].%w", i, err)
		}
	}
	return nil
}

// checkExposer returns an error for a namespace or name that no object can have.
func checkExposer(ref backend.Ref) error {
	err := labelName("metadata.namespace", ref.Namespace)
	if err != nil || len(validation.IsDNS1123Subdomain(ref.Name)) == 0 {
		return err
	}
	if ref.Name == "" {
		return errors.New("metadata.name is missing")
	}
	return fmt.Errorf("metadata.name: %s is no DNS name (lower-case letters, digits, - and .)", quote(ref.Name))
}

func clusterIP(field string, ips ...string) error {
	for _, ip := range ips {
		if a, err := netip.ParseAddr(ip); ip != "" && ip != corev1.ClusterIPNone && (err != nil || a.Zone() != "") {
			return fmt.Errorf("%s: %s is neither an IP address nor None", field, quote(ip))
		}
	}
	return nil
}

func checkPort(p *corev1.ServicePort) error {
	return cmp.Or(
		portNumber("port", p.Port),
		portNumber("targetPort", cmp.Or(p.TargetPort.IntVal, 1)), // 0 is none
		token("targetPort", p.TargetPort.StrVal, maxValue),
		checkNameAndProtocol(p.Name, p.Protocol),
		token("appProtocol", ptr.Deref(p.AppProtocol, ""), maxKey),
	)
}

// checkSlice is checkService for an EndpointSlice.
func checkSlice(s *discoveryv1.EndpointSlice) error {
	service := store.ServiceOf(s)
	if err := cmp.Or(
		labelName("metadata.namespace", service.Namespace),
		labelName("metadata.labels["+discoveryv1.LabelServiceName+"]", service.Name),
	); err != nil {
		return err
	}
	for i, p := range s.Ports {
		if p.Port == nil {
			continue
		}
		if err := cmp.Or(
			portNumber("port", *p.Port), checkNameAndProtocol(ptr.Deref(p.Name, ""), ptr.Deref(p.Protocol, "")),
		); err != nil {
			return fmt.Errorf("ports[%d].%w", i, err)
		}
	}
	if s.AddressType == discoveryv1.AddressTypeFQDN {
		return nil
	}
	for i := range s.Endpoints {
		if a := s.Endpoints[i].Addresses; len(a) > 0 && !store.IsAddress(a[0]) {
			return fmt.Errorf("endpoints[%d].addresses[0]: %s is no IP address", i, quote(a[0]))
		}
	}
	return oneOf("addressType", s.AddressType,
		discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6, discoveryv1.AddressTypeFQDN)
}

func checkNameAndProtocol(name string, protocol corev1.Protocol) error {
	return cmp.Or(
		oneOf("protocol", protocol, corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP, ""),
		token("name", name, maxValue),
	)
}

func portNumber(field string, n int32) error {
	if n < 1 || n > 65535 {
		return fmt.Errorf("%s: %d is no port number (1 to 65535)", field, n)
	}
	return nil
}

// oneOf returns an error if a value is not one of the allowed ones.
func oneOf[T ~string](field string, value T, allowed ...T) error {
	var names []string
	for _, a := range allowed {
		if a == value {
			return nil
		}
		if a != "" {
			names = append(names, string(a))
		}
	}
	return fmt.Errorf("%s: %s is none of %s", field, quote(string(value)), strings.Join(names, ", "))
}

// checkMap checks the keys and values of labels. If several are bad, it reports the first by name.
func checkMap(field string, m map[string]string) error {
	if err := checkKeys(field, m); err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if err := token(field+"["+k+"]", m[k], maxValue); err != nil {
			return err
		}
	}
	return nil
}

func checkKeys(field string, m map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if err := token("the key", k, maxKey); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	return nil
}

func token(field, s string, limit int) error {
	switch {
	case isToken(s, limit):
		return nil
	case len(s) > limit:
		return fmt.Errorf("%s: %s is %d bytes long, %d are allowed", field, quote(s), len(s), limit)
	}
	return fmt.Errorf("%s: %s holds characters that are not allowed there", field, quote(s))
}

// isToken reports whether s has at most limit bytes, and only characters of labels, port names and host names. None of
// them means anything special to a terminal, a URL, YAML or a template engine.
func isToken(s string, limit int) bool {
	return len(s) <= limit && !strings.ContainsFunc(s, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		return !letter && (c < '0' || c > '9') && !strings.ContainsRune("-_./+:", c)
	})
}

func isLabelName(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 }

func labelName(field, s string) error {
	switch {
	case isLabelName(s):
		return nil
	case s == "":
		return fmt.Errorf("%s is missing", field)
	}
	return fmt.Errorf("%s: %s is no DNS label (lower-case letters, digits and -, 63 at most)", field, quote(s))
}

// quote escapes and shortens a text from outside, for a line of output.
func quote(s string) string {
	const shown = 60
	if len(s) > shown {
		return strconv.QuoteToASCII(s[:shown]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
