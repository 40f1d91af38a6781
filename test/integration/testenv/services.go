//go:build integration

package testenv

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net"
	"net/netip"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// Service is a Service to make, with its EndpointSlice and the stand-in that answers at its ClusterIP.
type Service struct {
	Namespace, Name     string
	Labels, Annotations map[string]string
	// Selector is app: <Name> unless set.
	Selector map[string]string
	Port     string // its name; may be ""
	Number   int32  // of the Service's port
	Target   int32  // the pods' own port; Number unless set
	Headless bool
	NotReady bool // no endpoint is ready
	Bare     bool // there is no EndpointSlice
	// Address of the one endpoint; one that nobody dials unless set.
	Address string

	// Kind of the stand-in; none is started if it is "".
	Kind    standin.Kind
	Options standin.Options
	TLS     bool
	// BeforeSlice is called when all is there but the EndpointSlice; may be nil.
	BeforeSlice func(*Backend)
}

// Backend is a Service as it was made.
type Backend struct {
	*corev1.Service
	Standin *standin.Backend // nil without one
	Server  *standin.Server  // nil without one
}

// DNS is the Service's full name.
func (b *Backend) DNS() string { return b.Name + "." + b.Namespace + ".svc.cluster.local" }

// URL is what should be written for it: scheme, DNS name and port.
func (b *Backend) URL() string {
	scheme := "http"
	if b.Server != nil && b.Server.CA != nil {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s:%d", scheme, b.DNS(), b.Spec.Ports[0].Port)
}

// Create makes the namespace if it is not there, the Service, the stand-in and last, so that it can be found working from
// the start, the EndpointSlice.
func (e *Env) Create(t testing.TB, s Service) *Backend {
	t.Helper()
	e.Namespace(t, s.Namespace)
	live, err := e.Client.CoreV1().Services(s.Namespace).Create(t.Context(), s.object(), metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("Service %s/%s: %v", s.Namespace, s.Name, err)
	}
	b := &Backend{Service: live}
	if s.Kind != "" {
		b.Standin = standin.New(s.Kind, s.Options)
		b.Listen(t, s.TLS)
	}
	if s.BeforeSlice != nil {
		s.BeforeSlice(b)
	}
	if s.Bare {
		return b
	}
	if _, err := e.Client.DiscoveryV1().EndpointSlices(s.Namespace).Create(t.Context(), s.slice(), metav1.CreateOptions{}); err != nil {
		t.Fatalf("EndpointSlice of %s/%s: %v", s.Namespace, s.Name, err)
	}
	return b
}

// Listen lets the stand-in answer at the ClusterIP, again after Server.Close.
func (b *Backend) Listen(t testing.TB, useTLS bool) {
	t.Helper()
	b.ListenAt(t, b.Spec.ClusterIP, useTLS)
}

// ListenAt does so at another address, for a headless Service.
func (b *Backend) ListenAt(t testing.TB, ip string, useTLS bool) {
	t.Helper()
	port := b.Spec.Ports[0].Port
	if ip != b.Spec.ClusterIP {
		port = b.Spec.Ports[0].TargetPort.IntVal
	}
	var err error
	addr := net.JoinHostPort(ip, strconv.Itoa(int(port)))
	if useTLS {
		b.Server, err = standin.StartTLS(addr, b.Standin, b.DNS())
	} else {
		b.Server, err = standin.Start(addr, b.Standin)
	}
	if err != nil {
		t.Fatalf("Service %s/%s: %v", b.Namespace, b.Name, err)
	}
	server := b.Server
	t.Cleanup(func() { _ = server.Close() })
}

// SetReady tells by the EndpointSlice that the Service's one endpoint is ready or not.
func (e *Env) SetReady(t testing.TB, namespace, name string, ready bool) {
	t.Helper()
	slices := e.Client.DiscoveryV1().EndpointSlices(namespace)
	slice, err := slices.Get(t.Context(), name, metav1.GetOptions{})
	if err == nil {
		slice.Endpoints[0].Conditions.Ready = &ready
		_, err = slices.Update(t.Context(), slice, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatalf("EndpointSlice of %s/%s: %v", namespace, name, err)
	}
}

// Delete deletes a Service and its EndpointSlice, which no controller does here.
func (e *Env) Delete(t testing.TB, namespace, name string) {
	t.Helper()
	if err := e.Client.CoreV1().Services(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatalf("deleting Service %s/%s: %v", namespace, name, err)
	}
	if err := e.Client.DiscoveryV1().EndpointSlices(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatalf("deleting EndpointSlice %s/%s: %v", namespace, name, err)
	}
}

// Change changes a Service that may change at the same time.
func (e *Env) Change(t testing.TB, namespace, name string, change func(*corev1.Service)) {
	t.Helper()
	services := e.Client.CoreV1().Services(namespace)
	Retry(t, "changing Service "+namespace+"/"+name, func() error {
		s, err := services.Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		change(s)
		_, err = services.Update(t.Context(), s, metav1.UpdateOptions{})
		return err
	})
}

func (s *Service) target() int32 {
	if s.Target != 0 {
		return s.Target
	}
	return s.Number
}

func (s *Service) object() *corev1.Service {
	selector := s.Selector
	if selector == nil {
		selector = map[string]string{"app": s.Name}
	}
	o := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: s.Name, Namespace: s.Namespace, Labels: s.Labels, Annotations: s.Annotations},
		Spec: corev1.ServiceSpec{
			Selector: selector,
			Ports:    []corev1.ServicePort{{Name: s.Port, Port: s.Number, TargetPort: intstr.FromInt32(s.target())}},
		},
	}
	if s.Headless {
		o.Spec.ClusterIP = corev1.ClusterIPNone
	}
	return o
}

func (s *Service) slice() *discoveryv1.EndpointSlice {
	address := s.Address
	if address == "" { // one of its own that nobody dials (RFC 2544): Services with the same endpoints are one backend
		h := fnv.New32a()
		_, _ = io.WriteString(h, s.Namespace+"/"+s.Name)
		sum := h.Sum(nil)
		address = netip.AddrFrom4([4]byte{198, 18, sum[2], sum[3]}).String()
	}
	labels := map[string]string{discoveryv1.LabelServiceName: s.Name, discoveryv1.LabelManagedBy: "endpointslice-controller.k8s.io"}
	maps.Copy(labels, s.Labels) // as the controller does
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: s.Name, Namespace: s.Namespace, Labels: labels},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(!s.NotReady)},
		}},
		Ports: []discoveryv1.EndpointPort{{Name: &s.Port, Port: ptr.To(s.target()), Protocol: ptr.To(corev1.ProtocolTCP)}},
	}
}
