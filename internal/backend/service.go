// Package backend holds the types that the stages pass on: what was read from a cluster (Service, Endpoints), what was
// recognised (Candidate), what a probe saw (Observation) and what was decided (Finding). It imports no other package of
// this project.
package backend

import (
	"cmp"
	"net/netip"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// Ref names a Service.
type Ref struct {
	Namespace string
	Name      string
}

// String returns namespace/name, the form that people and the documents use.
func (r Ref) String() string { return r.Namespace + "/" + r.Name }

// Compare orders references by namespace, then by name.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(strings.Compare(r.Namespace, o.Namespace), strings.Compare(r.Name, o.Name))
}

// CompareBool orders false before true, for cmp.Or.
func CompareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Service is the part of a Kubernetes Service that detection reads. It holds no more, because a cluster has many.
type Service struct {
	Ref
	UID          string
	Created      time.Time // zero if the source does not say (a rendered chart)
	Type         string    // ClusterIP, NodePort, LoadBalancer, ExternalName; "" means ClusterIP
	ClusterIP    string    // an address, "None" for a headless Service, "" if the source does not say
	ClusterIPs   []string  // all addresses of a dual-stack Service; the first is ClusterIP
	ExternalName string
	Labels       map[string]string
	Annotations  map[string]string
	Selector     map[string]string
	Ports        []Port
	// Excess is the part of which the Service has more than is kept, so that it is rejected; nil if all is kept.
	Excess *Excess
	// Bared is the Service's original size if the Services of its namespace exceed MaxServices and it is not among the
	// oldest. It then has no labels, annotations, selector and ports here. 0 if all is kept.
	Bared int
}

// MaxServices is how many bytes of the Services of one namespace are kept, beside their names, as Service.Size counts
// them. That is enough for about 5,500 Services that look like backends, as charts write them.
const MaxServices = 8 << 20

// Size returns about how many bytes the Service takes in memory, with its labels, annotations, selector and ports.
func (s *Service) Size() int {
	const entry, port, itself = 40, 90, 700 // with what detection and later stages keep about it
	const least = 1500                      // as much is kept about a backend whose Service says little
	n := itself
	for _, m := range [...]map[string]string{s.Labels, s.Annotations, s.Selector} {
		for k, v := range m {
			n += entry + len(k) + len(v)
		}
	}
	for i := range s.Ports {
		p := &s.Ports[i]
		n += port + len(p.Name) + len(p.Target.StrVal) + len(p.AppProtocol)
	}
	return max(n, least)
}

// ShortNames returns the Service's DNS names that do not end in the cluster's domain and resolve from every namespace.
func (s *Service) ShortNames() []string {
	short := s.Name + "." + s.Namespace
	return []string{short + ".svc", short}
}

// A backend that is not a Service has its name from the configuration and OutsideNamespace as its namespace. Real
// Services of a namespace with that name are then ignored.
const (
	OutsideNamespace = "outside"
	// TypeOutside is the type of a Service that stands for such a backend.
	TypeOutside = "outside"
)

// Headless reports whether the Service's DNS name resolves to the pods' addresses, so that Service port numbers are not
// translated.
func (s *Service) Headless() bool { return s.ClusterIP == "None" }

// Port is one port of a Service, with the API server's defaults: Protocol is never empty, and Target is the port's own
// number if none was given.
type Port struct {
	Name        string
	Number      int32
	Protocol    string // TCP, UDP or SCTP
	Target      intstr.IntOrString
	AppProtocol string
}

// Endpoints holds the EndpointSlices of one Service. A nil *Endpoints means that nothing is known about them, as with a
// chart that was rendered but not installed.
type Endpoints struct {
	Slices []EndpointSlice
	// FQDN: a slice has the address type FQDN. Such names are never dialled.
	FQDN bool
	// Crowded: some slices are not kept, because the slices of the namespace exceed MaxSlices.
	Crowded bool
}

// MaxSlices is how many bytes of the EndpointSlices of one namespace are kept, as EndpointSlice.Size counts them. That
// is enough for about 100,000 ready endpoints, or 20,000 Services with one or two each.
const MaxSlices = 4 << 20

// EndpointSlice is the part of an EndpointSlice that this service uses.
type EndpointSlice struct {
	Ports []EndpointPort
	// Ready and NotReady are the addresses of endpoints, the first hundred of each. More is the number of further ready
	// addresses.
	Ready, NotReady []netip.Addr
	More            int
	// Denied is an address of the slice that security.denyCIDRs denies; not valid if there is none. All addresses of
	// the slice count, also those that are not kept and those after the first of an endpoint.
	Denied netip.Addr
}

// Size returns about how many bytes the slice takes in memory, beside its name.
func (s *EndpointSlice) Size() int {
	const address, port = 24, 40
	n := (len(s.Ready) + len(s.NotReady)) * address
	for i := range s.Ports {
		n += port + len(s.Ports[i].Name)
	}
	return n
}

// EndpointPort is a port of the pods behind a Service. Name is the Service port's name.
type EndpointPort struct {
	Name     string
	Number   int32
	Protocol string
}

// ReadyCount returns the number of ready addresses; 0 for nil.
func (e *Endpoints) ReadyCount() int {
	if e == nil {
		return 0
	}
	n := 0
	for i := range e.Slices {
		n += len(e.Slices[i].Ready) + e.Slices[i].More
	}
	return n
}

// PodPort returns the port on which the pods listen for the named Service port, 0 if no slice has it.
func (e *Endpoints) PodPort(name string) int32 {
	if e == nil {
		return 0
	}
	for i := range e.Slices {
		for _, p := range e.Slices[i].Ports {
			if p.Name == name && p.Protocol == "TCP" {
				return p.Number
			}
		}
	}
	return 0
}
