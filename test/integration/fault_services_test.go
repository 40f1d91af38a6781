//go:build integration

package integration

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// everyType is a Service of each type, as its chart or its owner makes it.
func everyType() map[string]testenv.Service {
	labelled := func(name, component string) map[string]string {
		l := named(name)
		if component != "" {
			l["app.kubernetes.io/component"] = component
		}
		return l
	}
	annotated := func(typ, path string) map[string]string {
		a := map[string]string{"kubernaut.io/toolset": "enabled", "kubernaut.io/toolset-type": typ}
		if path != "" {
			a["kubernaut.io/toolset-path"] = path
		}
		return a
	}
	return map[string]testenv.Service{
		"prometheus":      {Kind: standin.Prometheus, Port: "http", Number: 9090, Labels: labelled("prometheus", "server")},
		"thanos":          {Kind: standin.Thanos, Port: "http", Number: 10902, Labels: labelled("thanos", "query")},
		"victoriametrics": {Kind: standin.VictoriaMetrics, Port: "http", Number: 8428, Labels: labelled("vmsingle", "")},
		"mimir":           {Kind: standin.Mimir, Port: "http-metrics", Number: 9009, Labels: labelled("mimir", "query-frontend")},
		"grafana":         {Kind: standin.Grafana, Port: "service", Number: 3000, Labels: labelled("grafana", "")},
		"loki":            {Kind: standin.Loki, Port: "http-metrics", Number: 3100, Labels: labelled("loki", "single-binary")},
		"victorialogs":    {Kind: standin.VictoriaLogs, Port: "http", Number: 9428, Labels: labelled("vlsingle", "")},
		"elasticsearch":   {Kind: standin.Elasticsearch, Port: "http", Number: 9200, Labels: map[string]string{"chart": "elasticsearch"}},
		"opensearch":      {Kind: standin.OpenSearch, Port: "http", Number: 9200, Labels: labelled("opensearch", "")},
		"kibana":          {Kind: standin.Kibana, Port: "http", Number: 5601, Labels: labelled("kibana", "")},
		"jaeger":          {Kind: standin.Jaeger, Port: "http-query", Number: 16686, Labels: labelled("jaeger", "query")},
		"tempo":           {Kind: standin.Tempo, Port: "http-metrics", Number: 3200, Labels: labelled("tempo", "query-frontend")},
		"zipkin":          {Kind: standin.Zipkin, Port: "http-query", Number: 9411, Labels: labelled("zipkin", "")},
		"alertmanager":    {Kind: standin.Alertmanager, Port: "http-web", Number: 9093, Labels: labelled("alertmanager", "")},
		"custom":          {Kind: standin.Custom, Port: "http", Number: 8080, Annotations: annotated("custom", "")},
		"mcp":             {Kind: standin.MCP, Port: "http", Number: 8000, Annotations: annotated("mcp", "/mcp")},
	}
}

// follow waits until both forms have the backends with the types' ports, and no other of the namespaces one and two.
func follow(t *testing.T, env *testenv.Env, what string, want map[string][]string) *corev1.ConfigMap {
	t.Helper()
	var cm *corev1.ConfigMap
	// What was published three times within a minute has to stay the same for half a minute.
	testenv.Eventually(t, time.Minute, what, func() error {
		cm = env.ConfigMap(t)
		if cm == nil {
			return fmt.Errorf("there is no ConfigMap")
		}
		for _, typ := range slices.Sorted(maps.Keys(want)) {
			compact, there := cm.Data[typ+"-toolset.yaml"]
			if typ != "mcp" && there != (len(want[typ]) > 0) {
				return fmt.Errorf("%s-toolset.yaml is there: %v", typ, there)
			}
			for _, namespace := range []string{"one", "two"} {
				host := "//" + typ + "." + namespace + ".svc.cluster.local:"
				n := 0
				for _, address := range want[typ] {
					if strings.HasPrefix(address, namespace+":") {
						host += strings.TrimPrefix(address, namespace+":")
						n++
					}
				}
				if strings.Contains(cm.Data[document], host) != (n > 0) || typ != "mcp" && strings.Contains(compact, host) != (n > 0) {
					return fmt.Errorf("%s: want %d of %s in both forms:\n%s\n%s", typ, n, host, compact, cm.Data[document])
				}
			}
			if several := strings.Contains(compact, "instances:"); typ != "mcp" && several != (len(want[typ]) > 1) {
				return fmt.Errorf("%s: want instances in the compact form for several only:\n%s", typ, compact)
			}
		}
		return nil
	})
	return cm
}

// Services of each type appear, twice, change their port, labels and annotations, and go: both forms follow.
func TestServicesOfEachType(t *testing.T) {
	t.Attr("req", "DTS-RUN-1 DTS-OUT-1 DTS-OUT-2 DTS-OUT-3 DTS-DET-2 DTS-DET-5 DTS-DET-6 DTS-DET-8")
	env := testenv.Shared(t)
	types := everyType()
	names := slices.Sorted(maps.Keys(types))
	start(t, env, "--set", "security.trustedNamespaces=[one, two]")
	published(t, env, "an empty cluster has a document", "kubernetes/core:")

	want := map[string][]string{}
	backends := map[string]*testenv.Backend{}
	create := func(namespace string) {
		for _, typ := range names {
			s := types[typ]
			s.Namespace, s.Name, s.Target = namespace, typ, s.Number
			backends[namespace+"/"+typ] = env.Create(t, s)
			want[typ] = append(want[typ], namespace+":"+strconv.Itoa(int(s.Number)))
		}
	}
	create("one")
	follow(t, env, "one of each type", want)
	create("two")
	follow(t, env, "two of each type are two instances", want)

	step := func(what string, do func(typ string)) {
		for _, typ := range names {
			do(typ)
		}
		follow(t, env, what, want)
	}
	second := func(typ string, change func(s *corev1.Service)) { env.Change(t, "two", typ, change) }
	keep := func(typ string, first bool, port int32) {
		want[typ] = nil
		if first {
			want[typ] = append(want[typ], "one:"+strconv.Itoa(int(types[typ].Number)))
		}
		if port > 0 {
			want[typ] = append(want[typ], "two:"+strconv.Itoa(int(port)))
		}
	}
	moved := func(typ string) int32 { return types[typ].Number + 1000 }

	step("the port changes", func(typ string) {
		b := backends["two/"+typ]
		server, err := standin.Start(net.JoinHostPort(b.Spec.ClusterIP, strconv.Itoa(int(moved(typ)))), b.Standin)
		must(t, err)
		t.Cleanup(func() { _ = server.Close() })
		second(typ, func(s *corev1.Service) {
			s.Spec.Ports[0].Port, s.Spec.Ports[0].TargetPort = moved(typ), intstr.FromInt32(types[typ].Number)
		})
		keep(typ, true, moved(typ))
	})
	explicit := func(typ string) bool { return types[typ].Annotations != nil }
	step("a label says that it is something else", func(typ string) {
		if explicit(typ) {
			return // what its owner says beats every label
		}
		second(typ, func(s *corev1.Service) {
			s.Labels["app.kubernetes.io/name"], s.Labels["app.kubernetes.io/component"] = typ+"-exporter", "exporter"
		})
		keep(typ, true, 0)
	})
	step("the label is right again", func(typ string) {
		second(typ, func(s *corev1.Service) { s.Labels = maps.Clone(types[typ].Labels) })
		keep(typ, true, moved(typ))
	})
	step("its owner opts out", func(typ string) {
		second(typ, func(s *corev1.Service) {
			s.Annotations = map[string]string{"kubernaut.io/toolset": "disabled"}
		})
		keep(typ, true, 0)
	})
	step("and in again", func(typ string) {
		second(typ, func(s *corev1.Service) {
			s.Annotations = map[string]string{"kubernaut.io/toolset-description": "what team two asks"}
			maps.Copy(s.Annotations, types[typ].Annotations)
		})
		keep(typ, true, moved(typ))
	})
	if n := strings.Count(env.ConfigMap(t).Data[document], "what team two asks"); n == 0 {
		t.Error("no description reached the document")
	}
	step("the first of each type is deleted", func(typ string) {
		env.Delete(t, "one", typ)
		keep(typ, false, moved(typ))
	})
	step("and the second", func(typ string) {
		env.Delete(t, "two", typ)
		keep(typ, false, 0)
	})
	cm := published(t, env, "nothing is left of them", "kubernetes/core:", "-.svc.cluster.local")
	for key := range cm.Data {
		switch key {
		case document, "kubernetes-toolset.yaml", "state.json":
		default:
			t.Errorf("the key %s is left", key)
		}
	}
}
