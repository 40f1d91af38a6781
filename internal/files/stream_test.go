package files

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// listReader gives a kubectl-like List of n Services, each with an EndpointSlice, without ever holding it.
type listReader struct {
	n, next int
	buf     bytes.Buffer
}

func (r *listReader) Read(p []byte) (int, error) {
	for r.buf.Len() == 0 {
		switch {
		case r.next == 0:
			r.buf.WriteString(`{"apiVersion": "v1", "items": [`)
		case r.next <= r.n:
			fmt.Fprintf(&r.buf, generatedItem, r.next%500, r.next)
			if r.next < r.n {
				r.buf.WriteString(",\n")
			}
		case r.next == r.n+1:
			r.buf.WriteString(`], "kind": "List", "metadata": {"resourceVersion": ""}}`)
		default:
			return 0, io.EOF
		}
		r.next++
	}
	return r.buf.Read(p)
}

const generatedItem = `{"apiVersion": "v1", "kind": "Service", "metadata": {
	"annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "team-%[1]d"},
	"creationTimestamp": "2025-03-01T10:00:00Z", "name": "orders", "namespace": "team-%[1]d-%[2]d", "uid": "5a1a4c55-4d2c",
	"labels": {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": "orders-%[2]d", "helm.sh/chart": "orders-8.10.1"}
}, "spec": {
	"clusterIP": "10.96.14.201", "clusterIPs": ["10.96.14.201"], "ipFamilies": ["IPv4"], "type": "ClusterIP",
	"ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}],
	"selector": {"app.kubernetes.io/instance": "shop", "app.kubernetes.io/name": "orders"}
}, "status": {"loadBalancer": {}}},
{"addressType": "IPv4", "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "endpoints": [{
	"addresses": ["10.244.1.17"], "conditions": {"ready": true, "serving": true, "terminating": false}, "nodeName": "worker-1",
	"targetRef": {"kind": "Pod", "name": "orders-7d9c5b6f4-x2x7k", "namespace": "shop", "uid": "f7a3c0ea-98a9"}
}], "metadata": {
	"labels": {"kubernetes.io/service-name": "orders"}, "name": "orders-%[2]d", "namespace": "team-%[1]d"
}, "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}`

// discard is a Sink that keeps nothing, and looks at the heap now and then.
type discard struct {
	calls, slices, every int
	peak                 uint64
}

func (d *discard) Service(backend.Service) {
	d.calls++
	if d.calls%d.every != 0 {
		return
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	d.peak = max(d.peak, m.HeapAlloc)
}

func (d *discard) Slice(backend.Ref, store.Slice) { d.slices++ }

func (d *discard) Expose(store.Exposer, map[string][]backend.Exposure) {}

// TestFilesStream: what is held at any moment does not depend on how many items there are, but for 20 bytes of each
// Service's name.
func TestFilesStream(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	live := func(n int) uint64 {
		sink := &discard{every: n / 10}
		report, err := Read(t.Context(), []string{Stdin}, &listReader{n: n}, sink, ReadOptions{})
		if err != nil || report.Services != n || sink.slices != n {
			t.Fatalf("%v, %d Services, %d slices", err, report.Services, sink.slices)
		}
		return sink.peak
	}
	small, large := live(1_000), live(50_000)
	const perService, slack = 40, 1 << 20
	if large > small+49_000*perService+slack {
		t.Errorf("live heap %d KiB at 1,000 Services, %d KiB at 50,000", small>>10, large>>10)
	}
	t.Logf("live heap %d KiB at 1,000 Services, %d KiB at 50,000", small>>10, large>>10)
}

// endless never stops giving one byte.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestFilesTooLarge(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	tests := []struct{ name, start, want string }{
		{"a string in an item", `{"items":[` + svc("x", "a") + ",\n{\"a\":\"", "line 2: one object is larger than 32 MiB"},
		{"a field of an object", `{"kind":"Service","a":"`, "line 1: one object is larger than 32 MiB"},
		{"a YAML document", "kind: Service\n---\na: ", "the YAML document that begins in line 2 is larger than 32 MiB; as JSON a List is read item by item"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := io.MultiReader(strings.NewReader(tt.start), endless('x'))
			_, err := Read(t.Context(), []string{Stdin}, in, new(recorder), ReadOptions{})
			if want := "standard input: " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}
