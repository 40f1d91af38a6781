//go:build integration && bench

package bench

import (
	"fmt"
	"maps"
	"net"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// backends are how many there are among the Services (DTS-PERF-1).
const backends = 20

// kind is a sort of backend, labelled as its chart does.
type kind struct {
	name      string
	component string
	port      string
	number    int32
	standin   standin.Kind
}

func kinds() []kind {
	return []kind{
		{"prometheus", "server", "http", 80, standin.Prometheus},
		{"grafana", "", "service", 80, standin.Grafana},
		{"jaeger", "query", "http-query", 16686, standin.Jaeger},
		{"elasticsearch", "", "http", 9200, standin.Elasticsearch},
		{"thanos", "query", "http", 9090, standin.Thanos},
		{"loki", "gateway", "http-metrics", 80, standin.Loki},
		{"tempo", "", "tempo-prom-metrics", 3200, standin.Tempo},
		{"opensearch", "", "http", 9200, standin.OpenSearch},
		{"alertmanager", "", "http", 9093, standin.Alertmanager},
		{"kibana", "", "http", 5601, standin.Kibana},
	}
}

func (k *kind) labels() map[string]string {
	labels := map[string]string{"app.kubernetes.io/name": k.name, "app.kubernetes.io/managed-by": "Helm"}
	if k.component != "" {
		labels["app.kubernetes.io/component"] = k.component
	}
	return labels
}

// vary gives the i-th Service labels, ports and endpoints as the Services of charts and of teams have: of many sorts, some
// long, one in a hundred of the sort that is near to a backend and none.
func vary(i int, s *corev1.Service, es *discoveryv1.EndpointSlice) {
	software := []string{"orders", "payments", "catalogue", "session", "checkout", "search", "mailer", "ledger", "redis", "postgresql", "kafka", "nats"}
	parts := []string{"api", "worker", "db", "cache", "frontend", "gateway"}
	name, part := software[i%len(software)], parts[i/len(software)%len(parts)]
	version := fmt.Sprintf("%d.%d.%d", 1+i%4, i%23, i%17)
	switch {
	case i%100 == 7:
		name = []string{"prometheus-node-exporter", "prometheus-operator", "opentelemetry-collector", "kube-state-metrics"}[i/100%4]
		fallthrough
	case i%5 < 3: // a chart's
		s.Labels = map[string]string{
			"app.kubernetes.io/name": name, "app.kubernetes.io/instance": s.Name, "app.kubernetes.io/version": version,
			"app.kubernetes.io/component": part, "app.kubernetes.io/part-of": name, "app.kubernetes.io/managed-by": "Helm",
			"helm.sh/chart": name + "-" + version,
		}
	case i%5 == 3: // an older chart's
		s.Labels = map[string]string{"app": name, "chart": name + "-" + version, "release": s.Name, "heritage": "Helm", "tier": part}
	default: // somebody's own
		s.Labels = map[string]string{"app": s.Name, "team": fmt.Sprintf("team-%02d", i%37), "env": "production"}
		s.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": fmt.Sprintf(
			`{"apiVersion":"v1","kind":"Service","metadata":{"annotations":{},"name":%q,"namespace":%q},"spec":{"ports":[{"port":80}]}}`, s.Name, s.Namespace)}
	}
	s.Spec.Ports = []corev1.ServicePort{{Name: "http", Protocol: corev1.ProtocolTCP, Port: 80, TargetPort: intstr.FromString("http")}}
	if i%3 == 0 {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "metrics", Protocol: corev1.ProtocolTCP, Port: 9102, TargetPort: intstr.FromInt32(9102)})
	}
	if es == nil {
		return
	}
	es.Labels = maps.Clone(s.Labels) // as the controller does
	es.Labels[discoveryv1.LabelServiceName], es.Labels[discoveryv1.LabelManagedBy] = s.Name, "endpointslice-controller.k8s.io"
	es.Endpoints = nil
	for e := range 1 + i%3 {
		es.Endpoints = append(es.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprintf("10.%d.%d.%d", 1+e, i/250%250, 1+i%250)}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
			NodeName:  ptr.To(fmt.Sprintf("node-%03d.example.internal", (i+e)%150)),
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: s.Namespace, Name: fmt.Sprintf("%s-7d9c8b6f5-%05d", s.Name, e), UID: s.UID},
		})
	}
	es.Ports = nil
	for _, p := range s.Spec.Ports {
		es.Ports = append(es.Ports, discoveryv1.EndpointPort{Name: ptr.To(p.Name), Port: ptr.To[int32](8080), Protocol: ptr.To(corev1.ProtocolTCP)})
	}
}

// deaf listens at the backend's address and lets nobody in: its queue of connections holds one, which is taken. The kernel
// then drops what asks for a connection, as a host that is away does.
func deaf(t *testing.T, b *testenv.Backend) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("a listener that answers nobody at %s: %v", b.Spec.ClusterIP, err)
		}
	}
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	check(err)
	t.Cleanup(func() { _ = syscall.Close(socket) })
	address := syscall.SockaddrInet4{Port: int(b.Spec.Ports[0].Port), Addr: [4]byte(net.ParseIP(b.Spec.ClusterIP).To4())}
	check(syscall.Bind(socket, &address))
	check(syscall.Listen(socket, 0))
	conn, err := net.Dial("tcp", net.JoinHostPort(b.Spec.ClusterIP, fmt.Sprint(address.Port)))
	check(err)
	t.Cleanup(func() { _ = conn.Close() })
}
