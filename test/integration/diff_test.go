//go:build integration

package integration

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// What generate prints is applied with the real kubectl, and diff tells when it no longer fits.
func TestDiff(t *testing.T) {
	t.Attr("req", "DTS-CLI-3 DTS-OUT-1")
	env := testenv.Shared(t)
	observability(t, env)
	probed := []string{"--probe=direct", "--set", "health.tries=1"} // one backend is dead
	diff := func(code int, parts ...string) {
		t.Helper()
		r := env.Run(t, env.Kubeconfig(), append([]string{"diff"}, probed...)...)
		if r.Code != code {
			t.Fatalf("diff: exit %d, want %d\n%s%s", r.Code, code, r.Stdout, r.Stderr)
		}
		for _, p := range parts {
			if !strings.Contains(r.Stdout, p) {
				t.Errorf("diff does not show %q:\n%s", p, r.Stdout)
			}
		}
	}
	generate := func(args ...string) string {
		t.Helper()
		r := env.Run(t, env.Kubeconfig(), append(append([]string{"generate"}, probed...), args...)...)
		if r.Code != 0 {
			t.Fatalf("generate: exit %d\n%s", r.Code, r.Stderr)
		}
		return r.Stdout
	}

	diff(1, "--- custom_toolset.yaml (cluster)", "+++ prometheus-toolset.yaml (would be written)")
	manifest := generate()
	if again := generate(); again != manifest {
		t.Error("two runs print different ConfigMaps")
	}
	env.Kubectl(t, manifest, "apply", "--server-side", "-f", "-")
	diff(0)
	cm := env.ConfigMap(t)
	for _, key := range []string{"custom_toolset.yaml", "kubernetes-toolset.yaml", "prometheus-toolset.yaml", "jaeger-toolset.yaml"} {
		if cm.Data[key] == "" {
			t.Errorf("the ConfigMap has no %s", key)
		}
	}
	if got := cm.Labels["app.kubernetes.io/managed-by"]; got != "dynamic-toolset" {
		t.Errorf("app.kubernetes.io/managed-by is %q", got)
	}
	if key := generate("--key", "custom_toolset.yaml"); key != cm.Data["custom_toolset.yaml"] {
		t.Errorf("--key prints other bytes than were applied:\n%s", key)
	}

	t.Log("a key that nobody generates is none of its business; one with a reserved name is")
	env.Kubectl(t, "", "patch", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName, "-p", `{"data": {"notes": "mine"}}`)
	diff(0)
	env.Kubectl(t, "", "patch", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName, "-p", `{"data": {"zipkin-toolset.yaml": "toolset: zipkin"}}`)
	diff(1, "-toolset: zipkin")
	env.Kubectl(t, "", "patch", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName, "-p", `{"data": {"zipkin-toolset.yaml": null}}`)
	diff(0)

	t.Log("the cluster's overrides are merged")
	env.Kubectl(t, "", "patch", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName,
		"-p", `{"data": {"overrides.yaml": "toolsets:\n  tracing/jaeger: null\n  kubernetes/logs: {enabled: false}\n"}}`)
	diff(1, "+    enabled: false")

	env.Kubectl(t, "", "patch", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName, "-p", `{"data": {"overrides.yaml": null}}`)
	diff(0)

	t.Log("a Service changes its port and another goes")
	env.Change(t, "tracing", "jaeger-query", func(s *corev1.Service) { s.Annotations = map[string]string{"kubernaut.io/toolset": "false"} })
	diff(1, "-toolset: jaeger")
	env.Change(t, "tracing", "jaeger-query", func(s *corev1.Service) { s.Annotations = nil })
	diff(0)
	env.Delete(t, "shop", "runbooks")
	diff(1, "-toolset: custom")

	t.Log("errors are no difference")
	user := env.ServiceAccount(t, "shop", "reader")
	if r := env.Run(t, user, "diff"); r.Code < 2 || r.Stdout != "" {
		t.Errorf("may read nothing: exit %d, want 2 or more\n%s", r.Code, r.Stdout)
	}
	env.Grant(t, "", "shop", "reader", testenv.Rule("", "services", "list"), testenv.Rule("discovery.k8s.io", "endpointslices", "list"))
	if r := env.Run(t, user, "diff"); r.Code < 2 || !strings.Contains(r.Stderr, "not allowed to get configmaps "+testenv.OutputNamespace+"/"+testenv.ConfigMapName+" (403)") {
		t.Errorf("may not read the ConfigMap: exit %d, want 2 or more\n%s", r.Code, r.Stderr)
	}
	must(t, env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Delete(t.Context(), testenv.ConfigMapName, metav1.DeleteOptions{}))
	diff(1)
}
