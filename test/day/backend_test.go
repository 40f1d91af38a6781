//go:build integration && day

package day

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// release is a backend as a version of its chart makes it.
type release struct {
	labels   map[string]string
	portName string
	port     int32
}

// backend is one with its Service, its EndpointSlice and its pods, as charts and controllers make them.
type backend struct {
	namespace, name string
	annotations     map[string]string
	releases        []release // the chart's versions: an upgrade leads from each to the next, from the last to the first
	start           func() (*pod, error)

	mu      sync.Mutex // held by what happens to it
	version int
	service *corev1.Service // nil while there is none
	proxy   *proxy
	pods    []*pod
}

// pod is a process, or a stand-in, that answers.
type pod struct {
	address string // address:port
	ip      string // in the EndpointSlice, which may hold no loopback address; nobody dials it
	stop    func()
}

func (b *backend) host() string { return b.name + "." + b.namespace + ".svc.cluster.local" }

func (b *backend) release() *release { return &b.releases[b.version] }

// standIn is a pod with a stand-in of the kind.
func standIn(kind standin.Kind) func() (*pod, error) {
	return func() (*pod, error) {
		s, err := standin.Start("127.0.0.1:0", standin.New(kind, standin.Options{}))
		if err != nil {
			return nil, err
		}
		return &pod{address: s.Addr, stop: func() { _ = s.Close() }}, nil
	}
}

var podCount atomic.Int32

// newPod starts one more pod of the backend.
func (b *backend) newPod() (*pod, error) {
	p, err := b.start()
	if err != nil {
		return nil, fmt.Errorf("a pod of %s: %w", b.host(), err)
	}
	n := podCount.Add(1)
	p.ip = fmt.Sprintf("198.%d.%d.%d", 18+n>>16&1, n>>8&255, n&255) // RFC 2544
	return p, nil
}

// drain is how long a pod goes on after its endpoint has gone, as preStop hooks and grace periods have it.
const drain = time.Second

// create makes the Service and, when it can be found working, its EndpointSlice. It notes that the backend is up, and
// returns when that was so.
func (d *day) create(ctx context.Context, b *backend) (time.Time, error) {
	p, err := b.newPod()
	if err != nil {
		return time.Time{}, err
	}
	r := b.release()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: b.name, Namespace: b.namespace, Labels: r.labels, Annotations: b.annotations},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"pods": b.name}, Ports: []corev1.ServicePort{r.servicePort()},
		},
	}
	err = d.insist(ctx, "making Service "+b.host(), func(ctx context.Context) (err error) {
		b.service, err = d.env.Client.CoreV1().Services(b.namespace).Create(ctx, service, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) { // the answer to an earlier try was lost
			b.service, err = d.env.Client.CoreV1().Services(b.namespace).Get(ctx, b.name, metav1.GetOptions{})
		}
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	b.proxy = &proxy{}
	b.proxy.ready.Store(&p.address)
	for _, port := range b.ports() {
		if err := b.proxy.listen(b.service.Spec.ClusterIP, port); err != nil {
			return time.Time{}, err
		}
	}
	d.agent.host(b.host(), b.service.Spec.ClusterIP)
	b.pods = []*pod{p}
	d.ledger.isUp(b.host(), "created")
	return time.Now(), d.writeSlice(ctx, b)
}

func (b *backend) ports() (list []int32) {
	for _, r := range b.releases {
		if !slices.Contains(list, r.port) {
			list = append(list, r.port)
		}
	}
	return list
}

func (r *release) servicePort() corev1.ServicePort {
	return corev1.ServicePort{Name: r.portName, Port: r.port, TargetPort: intstr.FromInt32(8080)}
}

// writeSlice has the EndpointSlice hold the pods, as its controller does. What comes last leads.
func (d *day) writeSlice(ctx context.Context, b *backend) error {
	r := b.release()
	labels := map[string]string{
		discoveryv1.LabelServiceName: b.name, discoveryv1.LabelManagedBy: "endpointslice-controller.k8s.io",
	}
	maps.Copy(labels, r.labels)
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: b.name + "-x7k2p", Namespace: b.namespace, Labels: labels},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{{
			Name: &r.portName, Port: ptr.To[int32](8080), Protocol: ptr.To(corev1.ProtocolTCP),
		}},
	}
	for _, p := range b.pods {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{p.ip}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
		})
	}
	return d.insist(ctx, "writing the EndpointSlice of "+b.host(), func(ctx context.Context) error {
		client := d.env.Client.DiscoveryV1().EndpointSlices(b.namespace)
		_, err := client.Update(ctx, slice, metav1.UpdateOptions{})
		if apierrors.IsNotFound(err) {
			_, err = client.Create(ctx, slice, metav1.CreateOptions{})
		}
		return err
	})
}

// roll replaces the pod: the new one is ready before the old one goes.
func (d *day) roll(ctx context.Context, b *backend) error {
	next, err := b.newPod()
	if err != nil {
		return err
	}
	old := b.pods[0]
	b.pods = []*pod{old, next}
	if err := d.writeSlice(ctx, b); err != nil {
		return err
	}
	b.proxy.ready.Store(&next.address)
	time.Sleep(drain)
	b.pods = []*pod{next}
	err = d.writeSlice(ctx, b)
	time.Sleep(drain)
	old.stop()
	return err
}

// remove deletes the Service and what is its own.
func (d *day) remove(ctx context.Context, b *backend, why string) error {
	d.ledger.mayGo(b.host(), why)
	err := errors.Join(
		d.insist(ctx, "deleting Service "+b.host(), func(ctx context.Context) error {
			return gone(d.env.Client.CoreV1().Services(b.namespace).Delete(ctx, b.name, metav1.DeleteOptions{}))
		}),
		d.insist(ctx, "deleting the EndpointSlice of "+b.host(), func(ctx context.Context) error {
			slices := d.env.Client.DiscoveryV1().EndpointSlices(b.namespace)
			return gone(slices.Delete(ctx, b.name+"-x7k2p", metav1.DeleteOptions{}))
		}),
	)
	b.end()
	return err
}

// end ends its pods.
func (b *backend) end() {
	if b.proxy != nil {
		b.proxy.close()
	}
	for _, p := range b.pods {
		p.stop()
	}
	b.service, b.pods = nil, nil
}

// change changes the Service, whatever else does so.
func (d *day) change(ctx context.Context, b *backend, change func(*corev1.Service)) error {
	return d.insist(ctx, "changing Service "+b.host(), func(ctx context.Context) error {
		s, err := d.env.Client.CoreV1().Services(b.namespace).Get(ctx, b.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		change(s)
		_, err = d.env.Client.CoreV1().Services(b.namespace).Update(ctx, s, metav1.UpdateOptions{})
		return err
	})
}

// namespace makes one, where it is not there.
func (d *day) namespace(ctx context.Context, name string) error {
	return d.insist(ctx, "making namespace "+name, func(ctx context.Context) error {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		_, err := d.env.Client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) && !strings.Contains(err.Error(), "being deleted") {
			return nil
		}
		return err
	})
}

// insist tries again what the API server did not do, for as long as it may be away.
func (d *day) insist(ctx context.Context, what string, do func(context.Context) error) error {
	end := time.Now().Add(2*d.awayFor() + time.Minute)
	for {
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := do(try)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("%s: %w", what, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func gone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
