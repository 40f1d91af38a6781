package cli

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// To explain a Service its own namespace's rights are enough.
func TestExplainNeedsItsNamespaceOnly(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	api := &apiServer{
		services: []corev1.Service{serviceObject("m", "grafana", named("grafana"), "10.0.0.1", port("", 80, 3000))},
		refuse:   forbids("/namespaces/m/", false),
	}
	_, kubeconfig := api.start(t)
	r := mustRun(t, "explain", "m/grafana", "--kubeconfig", kubeconfig)
	expect(t, r.out, "m/grafana is accepted as grafana")
	expect(t, r.err, "Only namespace m was read")
	if n := strings.Count(strings.Join(api.asked(), " "), "/configmaps/"); n != 1 {
		t.Errorf("the ConfigMap was asked for %d times: an API server that hangs holds a command up each time", n)
	}
	if r := run(t, "explain", "other/grafana", "--kubeconfig", kubeconfig); r.code == 0 || !strings.Contains(r.err, `not allowed to list services in namespace "other"`) {
		t.Errorf("another namespace: %d: %s", r.code, r.err)
	}
}
