package main

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// workload is a Service of the demo's cluster, and what answers behind it.
type workload struct {
	namespace, name string
	labels          map[string]string
	annotations     map[string]string
	port            string // its name
	target          int32  // what the pods listen on, as in the chart
	kind            standin.Kind
	options         standin.Options
	story           string // what to see
}

func chart(name string, more ...string) map[string]string {
	labels := map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm"}
	for i := 0; i+1 < len(more); i += 2 {
		labels[more[i]] = more[i+1]
	}
	return labels
}

// flapping is the one that goes and comes.
const flapping = "observability/jaeger-query"

// linkHost is the host that links may lead to.
const linkHost = "grafana.example.com"

// workloads are the demo's cluster, each labelled as its chart does.
func workloads() []workload {
	const component = "app.kubernetes.io/component"
	return []workload{
		{
			"monitoring", "prometheus-server", chart("prometheus", component, "server"), nil, "http", 9090,
			standin.Prometheus, standin.Options{}, "found by its chart's labels, proven by /api/v1/status/buildinfo",
		},
		{
			"team-a", "metrics", map[string]string{"app": "metrics"}, nil, "web", 9090,
			standin.Prometheus, standin.Options{Version: "2.55.1"}, "port 9090 is its only sign: the probe proves that it is Prometheus",
		},
		{
			"monitoring", "prometheus-pushgateway", chart("prometheus-pushgateway"), nil, "http", 9091,
			standin.Pushgateway, standin.Options{}, "a look-alike: answers /-/healthy like Prometheus, but is not one",
		},
		{
			"team-b", "web", map[string]string{"app": "web"}, nil, "http", 9090,
			standin.Anything, standin.Options{}, "a look-alike: answers 200 to everything, on Prometheus's port",
		},
		{
			"monitoring", "grafana", chart("grafana"), map[string]string{"kubernaut.io/toolset-link": "https://" + linkHost}, "service", 3000,
			standin.Grafana, standin.Options{Credentials: standin.Credentials{Bearer: "secret"}},
			"requires credentials: HolmesGPT gets a reference, never a value. Its owner says at which link people open it",
		},
		{
			"team-a", "grafana", chart("grafana"), nil, "service", 3000,
			standin.Grafana, standin.Options{Credentials: standin.Credentials{Bearer: "secret"}}, "a second Grafana that needs credentials: the lines to add are shown",
		},
		{
			"observability", "jaeger-query", chart("jaeger", component, "query"), nil, "query", 16686,
			standin.Jaeger, standin.Options{}, "goes and comes every half minute: withdrawn after three failed checks",
		},
		{
			"observability", "tempo", chart("tempo"), nil, "tempo-prom-metrics", 3200,
			standin.Tempo, standin.Options{}, "",
		},
		{
			"logging", "elasticsearch-master", map[string]string{"app": "elasticsearch-master", "chart": "elasticsearch", "heritage": "Helm", "release": "elasticsearch"}, nil, "http", 9200,
			standin.Elasticsearch, standin.Options{Credentials: standin.Credentials{Username: "elastic", Password: "secret"}}, "",
		},
		{
			"logging", "loki-gateway", chart("loki", component, "gateway"), nil, "http-metrics", 8080,
			standin.Loki, standin.Options{}, "",
		},
		{
			"shop", "orders-runbooks", map[string]string{"app": "orders-runbooks"}, map[string]string{
				"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "runbooks",
				"kubernaut.io/toolset-health-endpoint": "/healthz",
				"kubernaut.io/toolset-description":     "What to do when an order hangs.",
			}, "http", 8080,
			standin.Custom, standin.Options{}, "its owner's annotations say what it is",
		},
		{
			"shop", "checkout", map[string]string{"app": "checkout"}, nil, "http", 8080,
			standin.Anything, standin.Options{}, "an application like any other",
		},
	}
}

// running is the demo's cluster.
type running struct {
	services []byte // as kubectl get services -o yaml shows them
	backends map[string]*standin.Backend
	servers  []*standin.Server
}

// startAll starts every backend on a port of its own; the Services have this machine's loopback address.
func startAll(list []workload) (*running, error) {
	r := &running{backends: map[string]*standin.Backend{}}
	objects := corev1.ServiceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}}
	for _, w := range list {
		b := standin.New(w.kind, w.options)
		s, err := standin.Start("127.0.0.1:0", b)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		r.servers = append(r.servers, s)
		r.backends[w.namespace+"/"+w.name] = b
		objects.Items = append(objects.Items, w.service(int32(s.Port())))
	}
	var err error
	if r.services, err = yaml.Marshal(objects); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the Services down: %w", err), r.close())
	}
	return r, nil
}

func (w *workload) service(port int32) corev1.Service {
	return corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.name, Labels: w.labels, Annotations: w.annotations},
		Spec: corev1.ServiceSpec{
			ClusterIP: "127.0.0.1", Selector: map[string]string{"app": w.name},
			Ports: []corev1.ServicePort{{Name: w.port, Port: port, TargetPort: intstr.FromInt32(w.target), Protocol: corev1.ProtocolTCP}},
		},
	}
}

func (r *running) close() error {
	var errs []error
	for _, s := range r.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
