package source

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// jsonOptions read JSON as the API server does: of a key given twice the last counts, and bytes that are no UTF-8 become
// U+FFFD (which no name may contain).
var jsonOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// The objects as they stand in files, with the fields that matter and no others: reading into the full API types takes
// several times as long.
type (
	metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		UID         string            `json:"uid"`
		Created     time.Time         `json:"creationTimestamp"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	}
	serviceObject struct {
		Metadata metadata `json:"metadata"`
		Spec     struct {
			Type         string            `json:"type"`
			ClusterIP    string            `json:"clusterIP"`
			ClusterIPs   []string          `json:"clusterIPs"`
			ExternalName string            `json:"externalName"`
			Selector     map[string]string `json:"selector"`
			Ports        []servicePort     `json:"ports"`
		} `json:"spec"`
	}
	servicePort struct {
		Name        string     `json:"name"`
		Port        int32      `json:"port"`
		Protocol    string     `json:"protocol"`
		TargetPort  targetPort `json:"targetPort"`
		AppProtocol string     `json:"appProtocol"`
	}
	sliceObject struct {
		Metadata    metadata `json:"metadata"`
		AddressType string   `json:"addressType"`
		Endpoints   []struct {
			Addresses  []string `json:"addresses"`
			Conditions struct {
				Ready       *bool `json:"ready"`
				Terminating *bool `json:"terminating"`
			} `json:"conditions"`
		} `json:"endpoints"`
		Ports []struct {
			Name     *string `json:"name"`
			Port     *int32  `json:"port"`
			Protocol *string `json:"protocol"`
		} `json:"ports"`
	}
)

// targetPort is an intstr.IntOrString that decodes without a second JSON decoder.
type targetPort struct{ intstr.IntOrString }

var errTargetPort = errors.New("a port number or a port name belongs here")

// UnmarshalJSON accepts a number or a string.
func (t *targetPort) UnmarshalJSON(b []byte) error {
	switch jsontext.Value(b).Kind() {
	case '"':
		s, err := jsontext.AppendUnquote(nil, b)
		if err != nil {
			return err
		}
		t.IntOrString = intstr.FromString(string(s))
	case '0':
		n, err := strconv.ParseInt(string(b), 10, 32)
		if err != nil {
			return errTargetPort
		}
		t.IntOrString = intstr.FromInt32(int32(n))
	case 'n':
	default:
		return errTargetPort
	}
	return nil
}

// ref is the object's name, or why it cannot be one. Nothing that is not a DNS label gets any further: names end up in
// URLs, file names and documents.
func (m *metadata) ref(defaultNamespace string) (backend.Ref, error) {
	if m.Namespace == "" {
		m.Namespace = defaultNamespace
	}
	if err := checkLabelName("metadata.namespace", m.Namespace); err != nil {
		return backend.Ref{}, err
	}
	if err := checkLabelName("metadata.name", m.Name); err != nil {
		return backend.Ref{}, err
	}
	return backend.Ref{Namespace: m.Namespace, Name: m.Name}, nil
}

// parseService decodes a Service and refuses what the API server would not have taken either. The Ref is empty where the
// name itself is bad.
func parseService(raw jsontext.Value, defaultNamespace string, keep func(string) bool) (backend.Ref, backend.Service, error) {
	var o serviceObject
	if err := json.Unmarshal(raw, &o, jsonOptions); err != nil {
		return nameOf(raw, defaultNamespace), backend.Service{}, explain(err)
	}
	ref, err := o.Metadata.ref(defaultNamespace)
	if err != nil {
		return ref, backend.Service{}, err
	}
	out := backend.Service{
		Ref:          ref,
		UID:          o.Metadata.UID,
		Created:      utc(o.Metadata.Created),
		Type:         serviceType(o.Spec.Type),
		ClusterIP:    o.Spec.ClusterIP,
		ClusterIPs:   several(o.Spec.ClusterIPs),
		ExternalName: o.Spec.ExternalName,
		Labels:       o.Metadata.Labels,
		Annotations:  keptAnnotations(o.Metadata.Annotations, keep),
		Selector:     o.Spec.Selector,
	}
	if len(o.Spec.Ports) > 0 {
		out.Ports = make([]backend.Port, 0, len(o.Spec.Ports))
	}
	for _, p := range o.Spec.Ports {
		out.Ports = append(out.Ports, backend.Port{
			Name: p.Name, Number: p.Port, Protocol: protocol(p.Protocol),
			Target: target(p.TargetPort.IntOrString, p.Port), AppProtocol: p.AppProtocol,
		})
	}
	err = checkService(&out)
	bound(&out)
	return ref, out, err
}

// parseEndpointSlice decodes an EndpointSlice. The Ref is its Service's; it has no name where the slice has no Service.
func parseEndpointSlice(raw jsontext.Value, defaultNamespace string, denied func(netip.Addr) bool) (
	ref backend.Ref, slice backend.EndpointSlice, fqdn bool, err error,
) {
	var o sliceObject
	if err := json.Unmarshal(raw, &o, jsonOptions); err != nil {
		return nameOf(raw, defaultNamespace), slice, false, explain(err)
	}
	service := o.Metadata.Labels[discoveryv1.LabelServiceName]
	if service == "" {
		return backend.Ref{}, slice, false, nil
	}
	o.Metadata.Name = service // the slice's own name is of no use
	if ref, err = o.Metadata.ref(defaultNamespace); err != nil {
		return ref, slice, false, err
	}
	for i, p := range o.Ports {
		before := len(slice.Ports)
		slice.Ports = appendEndpointPort(slice.Ports, p.Name, p.Port, p.Protocol)
		if len(slice.Ports) == before {
			continue
		}
		if err := checkEndpointPort(slice.Ports[before]); err != nil {
			return ref, slice, false, fmt.Errorf("ports[%d].%w", i, err)
		}
	}
	switch discoveryv1.AddressType(o.AddressType) {
	case discoveryv1.AddressTypeFQDN:
		return ref, slice, true, nil
	case discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6:
	default:
		return ref, slice, false, fmt.Errorf("addressType: %s is none of IPv4, IPv6, FQDN", quote(o.AddressType))
	}
	for i := range o.Endpoints {
		e := &o.Endpoints[i]
		if len(e.Addresses) > 0 {
			if _, ok := parseAddr(e.Addresses[0]); !ok {
				return ref, slice, false, fmt.Errorf("endpoints[%d].addresses[0]: %s is no IP address", i, quote(e.Addresses[0]))
			}
		}
		addEndpoint(&slice, e.Addresses, isReady(e.Conditions.Ready, e.Conditions.Terminating), denied)
	}
	return ref, slice, false, nil
}

// nameOf finds the name of an object that is otherwise unusable.
func nameOf(raw jsontext.Value, defaultNamespace string) backend.Ref {
	var o struct {
		Metadata struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
	}
	if json.Unmarshal(raw, &o, jsonOptions) != nil {
		return backend.Ref{}
	}
	m := metadata{Name: o.Metadata.Name, Namespace: o.Metadata.Namespace}
	ref, err := m.ref(defaultNamespace)
	if err != nil {
		return backend.Ref{}
	}
	return ref
}

func isClusterIP(s string) bool {
	if s == "" || s == "None" {
		return true
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}
