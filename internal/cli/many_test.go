package cli

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// manyServices is a List as kubectl prints it, made while it is read: n Services with labels as charts set them, one of 500
// a backend, and then, or before, an EndpointSlice for each.
type manyServices struct {
	n, next     int
	slicesFirst bool
	buffer      bytes.Buffer
	atEnd       func() // called once everything was read
}

func (m *manyServices) Read(p []byte) (int, error) {
	for m.buffer.Len() == 0 {
		switch {
		case m.next == 0:
			m.buffer.WriteString(`{"apiVersion":"v1","items":[`)
			m.object(0)
		case m.next < 2*m.n:
			m.buffer.WriteString(",\n")
			m.object(m.next)
		case m.next == 2*m.n:
			m.buffer.WriteString(`],"kind":"List"}`)
		default:
			if m.atEnd != nil {
				m.atEnd()
			}
			return 0, io.EOF
		}
		m.next++
	}
	return m.buffer.Read(p)
}

func (m *manyServices) object(i int) {
	isSlice, i := (i >= m.n) != m.slicesFirst, i%m.n
	name, app, number := fmt.Sprintf("checkout-service-%06d", i), "checkout", 8080
	if i%500 == 0 {
		name, app, number = fmt.Sprintf("prometheus-%06d", i), "prometheus", 9090
	}
	labels := fmt.Sprintf(`"app.kubernetes.io/component":"server","app.kubernetes.io/instance":"release-%d",`+
		`"app.kubernetes.io/managed-by":"Helm","app.kubernetes.io/name":%q,"app.kubernetes.io/part-of":%q,"helm.sh/chart":"%s-27.30.0"`, i, app, app, app)
	if isSlice {
		fmt.Fprintf(&m.buffer, `{"addressType":"IPv4","apiVersion":"discovery.k8s.io/v1","endpoints":[{"addresses":["10.244.%d.%d"],"conditions":{"ready":true},`+
			`"nodeName":"node-%d","targetRef":{"kind":"Pod","name":"%s-abcde","namespace":"team-%03d"}}],"kind":"EndpointSlice","metadata":{"labels":{%s,`+
			`"kubernetes.io/service-name":%q},"name":"%s-x","namespace":"team-%03d"},"ports":[{"name":"http","port":%d,"protocol":"TCP"}]}`,
			i>>8&255, i&255, i%300, name, i%400, labels, name, name, i%400, number)
		return
	}
	fmt.Fprintf(&m.buffer, `{"apiVersion":"v1","kind":"Service","metadata":{"annotations":{"meta.helm.sh/release-name":"release-%d"},`+
		`"creationTimestamp":"2025-03-01T10:00:00Z","labels":{%s},"name":%q,"namespace":"team-%03d","uid":"6f1f1fd8-0c3e-4f7b-9d8e-%012d"},`+
		`"spec":{"clusterIP":"10.%d.%d.%d","ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":%d}],`+
		`"selector":{"app.kubernetes.io/instance":"release-%d","app.kubernetes.io/name":%q},"type":"ClusterIP"},"status":{"loadBalancer":{}}}`,
		i, labels, name, i%400, i, i>>16&255, i>>8&255, i&255, number, i, app)
}

// TestManyServices: of Services that are nothing only the names stay in memory, in whichever order they come.
func TestManyServices(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	const n, perService = 10_000, 400 // bytes; a Service that is kept whole takes 1,500
	for _, slicesFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("slicesFirst=%v", slicesFirst), func(t *testing.T) {
			var before, after uint64
			input := &manyServices{n: n, slicesFirst: slicesFirst, atEnd: func() { after = liveHeap() }}
			before = liveHeap()
			var out, errs bytes.Buffer
			if code := Run(t.Context(), "x", []string{"discover", "-f", "-", "-o", "json", "--all"}, Streams{In: input, Out: &out, Err: &errs}); code != 0 {
				t.Fatalf("exit code %d: %s", code, errs.String())
			}
			if text := out.String(); strings.Count(text, `"verdict": "accepted"`) != n/500 || !strings.HasSuffix(text, fmt.Sprintf("\"count\": %d\n}\n", n)) {
				t.Errorf("%d accepted, the end is %q", strings.Count(text, `"verdict": "accepted"`), text[max(0, len(text)-40):])
			}
			kept := int64(after) - int64(before)
			t.Logf("%d bytes kept for each Service", kept/n)
			if kept > n*perService {
				t.Errorf("%d bytes kept for each of %d Services, want at most %d", kept/n, n, perService)
			}
		})
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
