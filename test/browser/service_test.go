//go:build browser

package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestService looks at the page of the real program, which runs on stand-ins of backends without a cluster.
func TestService(t *testing.T) {
	t.Attr("req", "DTS-UI-1 DTS-RUN-6")
	dir := t.TempDir()
	services := corev1.ServiceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}}
	backends := map[string]*standin.Backend{}
	for _, w := range []struct {
		namespace, name, app string
		target               int32
		kind                 standin.Kind
		options              standin.Options
	}{
		{"monitoring", "prometheus-server", "prometheus", 9090, standin.Prometheus, standin.Options{Version: "3.5.0"}},
		{"monitoring", "prometheus-pushgateway", "prometheus-pushgateway", 9091, standin.Pushgateway, standin.Options{}},
		{"shop", "grafana", "grafana", 3000, standin.Grafana, standin.Options{}},
		{"team", "web", "web", 9090, standin.Anything, standin.Options{}},
	} {
		b := standin.New(w.kind, w.options)
		s, err := standin.Start("127.0.0.1:0", b)
		must(t, err)
		t.Cleanup(func() { s.Close() })
		backends[w.name] = b
		services.Items = append(services.Items, corev1.Service{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.name, Labels: map[string]string{"app.kubernetes.io/name": w.app}},
			Spec: corev1.ServiceSpec{
				ClusterIP: "127.0.0.1", Selector: map[string]string{"app": w.name},
				Ports: []corev1.ServicePort{{Name: "http", Port: int32(s.Port()), TargetPort: intstr.FromInt32(w.target)}},
			},
		})
	}
	file := filepath.Join(dir, "services.yaml")
	text, err := yaml.Marshal(services)
	must(t, err)
	must(t, os.WriteFile(file, text, 0o600))

	url := serve(t, file, filepath.Join(dir, "out"))
	control := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		backends[r.URL.Query().Get("name")].SetReady(r.URL.Query().Get("ready") == "true")
	}))
	defer control.Close()
	node(t, "service.test.mjs", "SERVICE_URL="+url, "CONTROL_URL="+control.URL+"/", "OUT_DIR="+filepath.Join(dir, "out"), "CHROMIUM="+chromium(t))
}

// serve runs the program until the test ends, and returns where its page is.
func serve(t *testing.T, services, out string) string {
	t.Helper()
	address := program.Free(t)
	program.Start(t, nil, program.Binary(t), "serve", "-f", services, "--out", out, "--set", "server.address="+address,
		"--set", "metrics.address=127.0.0.1:0", "--set", "log.format=text", "--set", "health.interval=1s", "--set", "health.tries=1")
	return "http://" + address + "/"
}
