// Package backend holds the types that the stages hand to each other: what was read from a cluster (Service,
// Endpoints), what was recognised in it (Candidate), what a probe saw (Observation) and what was decided (Finding). It
// imports nothing else of this project.
package backend

import (
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

// String is the form people and the documents use: namespace/name.
func (r Ref) String() string { return r.Namespace + "/" + r.Name }

// Compare orders references by namespace, then name.
func (r Ref) Compare(o Ref) int {
	if c := strings.Compare(r.Namespace, o.Namespace); c != 0 {
		return c
	}
	return strings.Compare(r.Name, o.Name)
}

// Service is what detection reads of a Kubernetes Service, and no more: a cluster has many.
type Service struct {
	Ref
	UID          string
	Created      time.Time // zero where the source does not say (a rendered chart)
	Type         string    // ClusterIP, NodePort, LoadBalancer, ExternalName; "" means ClusterIP
	ClusterIP    string    // an address, "None" for a headless Service, "" where the source does not say
	ClusterIPs   []string  // all of them, where there are several (dual-stack); the first is ClusterIP
	ExternalName string
	Labels       map[string]string
	Annotations  map[string]string
	Selector     map[string]string
	Ports        []Port
	// Excess is of what it has more than is kept, so that it is rejected; nil where all of it is kept.
	Excess *Excess
	// Bared is the size that it had, where the Services of its namespace take more than is kept (MaxServices) and it is
	// not among the oldest: then it has no labels, annotations, selector and ports here. 0 where all of it is kept.
	Bared int
}

// MaxServices is how much is kept of the Services of one namespace, beside their names, in bytes as Service.Size counts
// them: some 5,500 that look like backends, as charts write them.
const MaxServices = 8 << 20

// Size is about what it takes in memory, with its labels, annotations, selector and ports, in bytes.
func (s *Service) Size() int {
	const entry, port, itself = 40, 90, 700 // with what follows of it: what was detected and found
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
	return n
}

// ShortNames are the Service's names in the cluster's DNS that do not end in the cluster's domain and lead there from
// every namespace.
func (s *Service) ShortNames() []string {
	short := s.Name + "." + s.Namespace
	return []string{short + ".svc", short}
}

// Of a backend that is no Service the configuration gives the name, and this is what stands for its namespace.
// Services of a namespace of that name are not looked at then.
const (
	OutsideNamespace = "outside"
	// TypeOutside is the type of a Service that only stands for it.
	TypeOutside = "outside"
)

// Headless says that DNS gives the pods' addresses, so that Service port numbers do not translate.
func (s *Service) Headless() bool { return s.ClusterIP == "None" }

// Port is one port of a Service. Defaults the API server would add are added when it is read: Protocol is never empty
// and Target is the port's own number where none was given.
type Port struct {
	Name        string
	Number      int32
	Protocol    string // TCP, UDP or SCTP
	Target      intstr.IntOrString
	AppProtocol string
}

// Endpoints are the EndpointSlices of one Service taken together. A nil *Endpoints means that nothing is known of them,
// as with a chart that was rendered but not installed.
type Endpoints struct {
	Slices []EndpointSlice
	// FQDN says that there is a slice of address type FQDN, which is never dialled.
	FQDN bool
	// Crowded says that not all is known of the slices, since those of the namespace are more than is kept (MaxSlices).
	Crowded bool
}

// MaxSlices is how much is kept of the EndpointSlices of one namespace, in bytes as EndpointSlice.Size counts them:
// some 100,000 ready endpoints, or 20,000 Services of one or two.
const MaxSlices = 4 << 20

// EndpointSlice is what matters of one EndpointSlice.
type EndpointSlice struct {
	Ports []EndpointPort
	// Ready and NotReady are the addresses of endpoints, the first hundred of each. More is the number of further ready
	// ones.
	Ready, NotReady []netip.Addr
	More            int
	// Denied is one that security.denyCIDRs names, among all addresses that are written there: those that are not kept
	// too, and those beside the first of an endpoint. It is not valid where there is none.
	Denied netip.Addr
}

// Size is about what a slice takes in memory, in bytes, beside its name.
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

// ReadyCount is the number of ready addresses; 0 for nil.
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

// PodPort is the number the pods listen on for the Service port of that name, or 0 where no slice tells.
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
