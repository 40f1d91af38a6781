//go:build integration

package testenv

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"time"

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

// Fill makes n Services that are no backends, with labels as charts set them, each with an EndpointSlice if withSlices. The
// first is made through the API server and the others are copies of it, put straight into etcd: the API server takes longer
// for each further Service, since it counts all addresses that are in use each time. Each copy is given to vary, if there is
// one, with its EndpointSlice (nil without).
func (e *Env) Fill(t testing.TB, n int, withSlices bool, vary ...func(i int, s *corev1.Service, es *discoveryv1.EndpointSlice)) {
	t.Helper()
	for i := range FillNamespaces {
		e.Namespace(t, fmt.Sprintf("team-%02d", i))
	}
	service, slice := e.fillTemplate(t)
	first, err := netip.ParsePrefix(ServiceCIDR)
	if err != nil {
		t.Fatal(err)
	}
	b := &batch{url: e.etcdURL + "/v3/kv/txn", encoder: protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)}
	// The API server itself takes addresses at random: those of a block of their own are seldom met, and refused then.
	address := func(i int) string { return addToIP(first.Addr(), 1<<16+i) }
	for i := 1; i < n; i++ { // first, since the API server makes those that it misses
		namespace, name := FillName(i)
		b.put("/registry/ipaddresses/"+address(i), ipAddress(address(i), namespace, name))
	}
	for i := 1; i < n; i++ {
		namespace, name := FillName(i)
		ip := address(i)
		s := service.DeepCopy()
		s.Namespace, s.Name, s.UID, s.ResourceVersion = namespace, name, uuid.NewUUID(), ""
		s.Labels["app.kubernetes.io/instance"], s.Annotations["meta.helm.sh/release-name"] = name, name
		s.Spec.ClusterIP, s.Spec.ClusterIPs = ip, []string{ip}
		s.Spec.Selector["app.kubernetes.io/instance"] = name
		var es *discoveryv1.EndpointSlice
		if withSlices {
			es = slice.DeepCopy()
			es.Namespace, es.Name, es.UID, es.ResourceVersion = namespace, name, uuid.NewUUID(), ""
			es.Labels[discoveryv1.LabelServiceName], es.Labels["app.kubernetes.io/instance"] = name, name
		}
		for _, change := range vary {
			change(i, s, es)
		}
		b.put("/registry/services/specs/"+namespace+"/"+name, s)
		if withSlices {
			b.put("/registry/endpointslices/"+namespace+"/"+name, es)
		}
	}
	if b.flush(); b.err != nil {
		t.Fatalf("writing %d Services into etcd: %v", n, b.err)
	}
	e.awaitCache(t, n-1, withSlices)
}

// awaitCache waits until the API server's caches, from which it serves watches, hold the last ones.
func (e *Env) awaitCache(t testing.TB, last int, withSlices bool) {
	t.Helper()
	namespace, name := FillName(last)
	cached := metav1.GetOptions{ResourceVersion: "0"}
	Eventually(t, 2*time.Minute, "the API server has seen all Services", func() error {
		_, err := e.Client.CoreV1().Services(namespace).Get(t.Context(), name, cached)
		if err == nil && withSlices {
			_, err = e.Client.DiscoveryV1().EndpointSlices(namespace).Get(t.Context(), name, cached)
		}
		return err
	})
}

// FillName is the i-th Service of Fill.
func FillName(i int) (namespace, name string) {
	return fmt.Sprintf("team-%02d", i%FillNamespaces), fmt.Sprintf("orders-%06d", i)
}

func (e *Env) fillTemplate(t testing.TB) (*corev1.Service, *discoveryv1.EndpointSlice) {
	t.Helper()
	namespace, name := FillName(0)
	b := e.Create(t, Service{
		Namespace: namespace, Name: name, Port: "http", Number: 80, Target: 8080,
		Selector: map[string]string{"app.kubernetes.io/name": "orders", "app.kubernetes.io/instance": name},
		Labels: map[string]string{
			"app.kubernetes.io/name": "orders", "app.kubernetes.io/instance": name, "app.kubernetes.io/version": "1.4.2",
			"app.kubernetes.io/component": "backend", "app.kubernetes.io/part-of": "shop",
			"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "orders-2.7.1",
		},
		Annotations: map[string]string{"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace},
	})
	slice, err := e.Client.DiscoveryV1().EndpointSlices(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// The typed client leaves these out, and what is stored needs them.
	b.Service.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}
	slice.TypeMeta = metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}
	return b.Service, slice
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

// batch gathers writes to etcd, as many as it takes at once.
type batch struct {
	url     string
	encoder runtime.Encoder
	puts    []put
	err     error // the first one
}

type put struct {
	RequestPut struct {
		Key   []byte `json:"key"`
		Value []byte `json:"value"`
	} `json:"requestPut"`
}

// maxPuts is etcd's default of --max-txn-ops.
const maxPuts = 128

func (b *batch) put(key string, o runtime.Object) {
	var value bytes.Buffer
	if err := b.encoder.Encode(o, &value); err != nil && b.err == nil {
		b.err = fmt.Errorf("%s: %w", key, err)
	}
	var p put
	p.RequestPut.Key, p.RequestPut.Value = []byte(key), value.Bytes()
	if b.puts = append(b.puts, p); len(b.puts) == maxPuts {
		b.flush()
	}
}

func (b *batch) flush() {
	if b.err != nil || len(b.puts) == 0 {
		return
	}
	b.err = b.send()
	b.puts = b.puts[:0]
}

func (b *batch) send() error {
	body, err := json.Marshal(map[string]any{"success": b.puts})
	if err != nil {
		return err
	}
	resp, err := (&http.Client{}).Post(b.url, "application/json", bytes.NewReader(body)) //nolint:noctx // etcd on loopback
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd answered %s: %s (%w)", resp.Status, answer, err)
	}
	return nil
}
