//go:build integration

package testenv

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes/scheme"
)

// FillNamespaces is over how many namespaces Fill spreads Services.
const FillNamespaces = 20

// FillName is the i-th Service of Fill.
func FillName(i int) (namespace, name string) {
	return fmt.Sprintf("team-%02d", i%FillNamespaces), fmt.Sprintf("orders-%06d", i)
}

// Fill makes n Services that are no backends, with labels as charts set them, as Bulk does but quicker: many get the
// same resourceVersion, so that a watch that is resumed meanwhile may miss some.
func (e *Env) Fill(t testing.TB, n int, vary ...Vary) {
	t.Helper()
	e.bulk(t, n, maxWrites, func(i int) Service {
		namespace, name := FillName(i)
		return Service{
			Namespace: namespace, Name: name, Port: "http", Number: 80, Target: 8080,
			Selector: map[string]string{"app.kubernetes.io/name": "orders", "app.kubernetes.io/instance": name},
			Labels: map[string]string{
				"app.kubernetes.io/name": "orders", "app.kubernetes.io/instance": name, "app.kubernetes.io/version": "1.4.2",
				"app.kubernetes.io/component": "backend", "app.kubernetes.io/part-of": "shop",
				"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "orders-2.7.1",
			},
			Annotations: map[string]string{"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace},
		}
	}, vary...)
}

// Vary changes the i-th Service before it is written, or its EndpointSlice.
type Vary func(i int, s *corev1.Service, es *discoveryv1.EndpointSlice)

// Bulk makes n Services with their EndpointSlices, without stand-ins. The first is made through the API server and the
// others as copies of it, put straight into etcd: the API server takes longer for each further Service, since it counts
// all addresses that are in use each time.
func (e *Env) Bulk(t testing.TB, n int, one func(i int) Service) { t.Helper(); e.bulk(t, n, 1, one) }

func (e *Env) bulk(t testing.TB, n, atOnce int, one func(i int) Service, vary ...Vary) {
	t.Helper()
	namespaces := map[string]bool{}
	for i := range n {
		if namespace := one(i).Namespace; !namespaces[namespace] {
			namespaces[namespace] = true
			e.Namespace(t, namespace)
		}
	}
	service, slice := e.template(t, one(0))
	first, err := netip.ParsePrefix(ServiceCIDR)
	must(t, err)
	b := &batch{url: e.etcdURL, atOnce: maxWrites, encoder: protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)}
	// The API server itself takes addresses at random: those of a block of their own are seldom met, and refused then.
	address := func(i int) string { return addToIP(first.Addr(), 1<<16+i) }
	// They come first, since the API server makes those that it misses.
	for i := 1; i < n && service.Spec.ClusterIP != corev1.ClusterIPNone; i++ {
		s := one(i)
		b.put("/registry/ipaddresses/"+address(i), ipAddress(address(i), s.Namespace, s.Name))
	}
	b.flush()
	b.atOnce = atOnce
	for i := 1; i < n; i++ {
		s, es := one(i).copies(service, slice)
		if s.Spec.ClusterIP != corev1.ClusterIPNone {
			s.Spec.ClusterIP, s.Spec.ClusterIPs = address(i), []string{address(i)}
		}
		for _, change := range vary {
			change(i, s, es)
		}
		b.put(serviceKey(s.Namespace, s.Name), s)
		if es != nil {
			b.put(sliceKey(s.Namespace, s.Name), es)
		}
	}
	if b.flush(); b.err != nil {
		t.Fatalf("writing %d Services into etcd: %v", n, b.err)
	}
	e.awaitCache(t, one(n-1))
}

// DeleteBulk deletes them, the last first.
func (e *Env) DeleteBulk(t testing.TB, n int, one func(i int) Service) {
	t.Helper()
	b := &batch{url: e.etcdURL, atOnce: 1}
	for i := n - 1; i >= 0; i-- {
		s := one(i)
		b.delete(serviceKey(s.Namespace, s.Name))
		if !s.Bare {
			b.delete(sliceKey(s.Namespace, s.Name))
		}
	}
	if b.flush(); b.err != nil {
		t.Fatalf("deleting %d Services in etcd: %v", n, b.err)
	}
}

func serviceKey(namespace, name string) string {
	return "/registry/services/specs/" + namespace + "/" + name
}
func sliceKey(namespace, name string) string {
	return "/registry/endpointslices/" + namespace + "/" + name
}

// copies are a Service and its EndpointSlice like those of the template, with what the API server has set in them.
func (s Service) copies(
	service *corev1.Service, slice *discoveryv1.EndpointSlice,
) (*corev1.Service, *discoveryv1.EndpointSlice) {
	o, sliceCopy := service.DeepCopy(), slice.DeepCopy()
	wanted := s.object()
	o.Namespace, o.Name, o.UID, o.ResourceVersion = s.Namespace, s.Name, uuid.NewUUID(), ""
	o.Labels, o.Annotations = maps.Clone(wanted.Labels), maps.Clone(wanted.Annotations)
	o.Spec.Selector = maps.Clone(wanted.Spec.Selector)
	if slice != nil {
		es := s.slice()
		sliceCopy.Namespace, sliceCopy.Name = s.Namespace, s.Name
		sliceCopy.UID, sliceCopy.ResourceVersion = uuid.NewUUID(), ""
		sliceCopy.Labels, sliceCopy.Endpoints = es.Labels, es.Endpoints
	}
	return o, sliceCopy
}

// awaitCache waits until the API server's caches, from which it serves watches, hold the last one.
func (e *Env) awaitCache(t testing.TB, last Service) {
	t.Helper()
	cached := metav1.GetOptions{ResourceVersion: "0"}
	Eventually(t, 2*time.Minute, "the API server has seen all Services", func() error {
		_, err := e.Client.CoreV1().Services(last.Namespace).Get(t.Context(), last.Name, cached)
		if err == nil && !last.Bare {
			_, err = e.Client.DiscoveryV1().EndpointSlices(last.Namespace).Get(t.Context(), last.Name, cached)
		}
		return err
	})
}

// template makes the first one, and returns it with its EndpointSlice, nil if it is bare.
func (e *Env) template(t testing.TB, first Service) (*corev1.Service, *discoveryv1.EndpointSlice) {
	t.Helper()
	service := e.Create(t, first).Service
	// The typed client leaves these out, and what is stored needs them.
	service.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}
	if first.Bare {
		return service, nil
	}
	slice, err := e.Client.DiscoveryV1().EndpointSlices(first.Namespace).Get(t.Context(), first.Name, metav1.GetOptions{})
	must(t, err)
	slice.TypeMeta = metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}
	return service, slice
}

// ipAddress is what the API server keeps for each ClusterIP.
func ipAddress(ip, namespace, name string) runtime.Object {
	return &networkingv1.IPAddress{
		TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "IPAddress"},
		ObjectMeta: metav1.ObjectMeta{
			Name: ip, UID: uuid.NewUUID(), CreationTimestamp: metav1.Now(),
			Labels: map[string]string{
				networkingv1.LabelIPAddressFamily: string(corev1.IPv4Protocol), networkingv1.LabelManagedBy: "ipallocator.k8s.io",
			},
		},
		Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: "services", Namespace: namespace, Name: name}},
	}
}

func addToIP(ip netip.Addr, n int) string {
	a := ip.As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+uint32(n))
	return netip.AddrFrom4(a).String()
}

// batch gathers writes to etcd. Those that it sends in one transaction get the same resourceVersion.
type batch struct {
	url     string
	atOnce  int // in a transaction, maxWrites at most
	encoder runtime.Encoder
	writes  []any
	size    int   // of the values in writes, in bytes
	err     error // the first one
}

// What etcd takes at once: its default of --max-txn-ops, and less than that of --max-request-bytes.
const (
	maxWrites = 128
	maxSize   = 1 << 20
)

func (b *batch) put(key string, o runtime.Object) {
	var value bytes.Buffer
	if err := b.encoder.Encode(o, &value); err != nil && b.err == nil {
		b.err = fmt.Errorf("%s: %w", key, err)
	}
	b.add("requestPut", map[string][]byte{"key": []byte(key), "value": value.Bytes()})
}

func (b *batch) delete(key string) {
	b.add("requestDeleteRange", map[string][]byte{"key": []byte(key)})
}

func (b *batch) add(kind string, write map[string][]byte) {
	b.writes = append(b.writes, map[string]any{kind: write})
	if b.size += len(write["value"]); len(b.writes) == maxWrites || b.size > maxSize {
		b.flush()
	}
}

// flush sends what is gathered, several transactions side by side.
func (b *batch) flush() {
	if b.err != nil {
		return
	}
	var group errgroup.Group
	group.SetLimit(4)
	for writes := range slices.Chunk(b.writes, b.atOnce) {
		group.Go(func() error {
			_, err := post(b.url+"/v3/kv/txn", map[string]any{"success": writes})
			return err
		})
	}
	b.err = group.Wait()
	b.writes, b.size = nil, 0
}

// post sends a request to etcd and returns its answer.
func post(url string, request any) ([]byte, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{}).Post(url, "application/json", bytes.NewReader(body)) //nolint:noctx // etcd on loopback
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("etcd answered %s: %s (%w)", resp.Status, answer, err)
	}
	return answer, nil
}
