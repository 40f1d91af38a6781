//go:build integration

package integration

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/chart/shipped"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// TestShippedManifests: the API server takes every object of every file of values and of the plain manifests, without an
// unknown field, and the admission of Pod Security takes the pods.
func TestShippedManifests(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-SEC-2")
	env := testenv.Start(t)
	for _, ns := range []string{"monitoring", "tracing", "holmes"} {
		env.Namespace(t, ns)
	}
	env.Kubectl(t, customResources, "apply", "-f", "-")
	env.Kubectl(t, "", "wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
	restricted(t, env, "restricted")

	files, err := shipped.Values()
	must(t, err)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.Run(name, func(t *testing.T) {
			manifests, err := shipped.Template(t.Context(), "dynamic-toolset", "--values", files[name])
			must(t, err)
			taken(t, env, string(manifests))
		})
	}
	root, err := shipped.Root()
	must(t, err)
	for _, name := range []string{"namespaced.yaml", "install.yaml"} {
		t.Run(name, func(t *testing.T) {
			manifests, err := os.ReadFile(filepath.Join(root, "deploy", name))
			must(t, err)
			taken(t, env, string(manifests))
		})
	}
	t.Run("applied twice", func(t *testing.T) {
		path := filepath.Join(root, "deploy", "install.yaml")
		env.Kubectl(t, "", "apply", "-f", path)
		versions := func() string {
			return env.Kubectl(t, "", "get", "-f", path, "-o", `jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{"\n"}{end}`)
		}
		before := versions()
		env.Kubectl(t, "", "apply", "-f", path)
		if d := cmp.Diff(before, versions()); d != "" {
			t.Errorf("the second time it changes something:\n%s", d)
		}
		if out := env.Kubectl(t, "", "get", "namespace", shipped.Namespace, "-o", "jsonpath={.metadata.labels}"); !strings.Contains(out, `"pod-security.kubernetes.io/enforce":"restricted"`) {
			t.Errorf("the namespace does not enforce Pod Security: %s", out)
		}
		env.Kubectl(t, "", "delete", "-f", path, "--wait=false")
	})
}

// taken: by a dry run of the API server, and the pod for real.
func taken(t *testing.T, env *testenv.Env, manifests string) {
	t.Helper()
	objects, err := shipped.Parse([]byte(manifests))
	must(t, err)
	out := env.Kubectl(t, manifests, "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
	if n := strings.Count(out, "serverside-applied (server dry run)"); n != len(objects) {
		t.Errorf("%d of %d objects were taken:\n%s", n, len(objects), out)
	}
	var deployment appsv1.Deployment
	must(t, runtime.DefaultUnstructuredConverter.FromUnstructured(objects.Kind("Deployment")[0].Object, &deployment))
	template := deployment.Spec.Template
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.GenerateName = "dynamic-toolset-"
	pods := env.Client.CoreV1().Pods("restricted")
	if _, err := pods.Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Errorf("the pod is refused: %v", err)
	}
	pod.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = ptr.To(true)
	if _, err := pods.Create(t.Context(), pod, metav1.CreateOptions{}); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "violates PodSecurity") {
		t.Errorf("another pod is not refused: %v", err)
	}
}

// restricted makes a namespace that takes nothing else.
func restricted(t *testing.T, env *testenv.Env, name string) {
	t.Helper()
	_, err := env.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	must(t, err)
}

// TestShippedHelm: one command installs it, another changes it, and a third takes it away but for what the service itself
// has made.
func TestShippedHelm(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	env := testenv.Shared(t)
	env.Namespace(t, "monitoring")
	env.Namespace(t, "tracing")
	helm, err := shipped.Helm()
	must(t, err)
	chart, err := shipped.Chart()
	must(t, err)
	files, err := shipped.Values()
	must(t, err)
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), helm, append(args, "--kubeconfig", env.Kubeconfig(), "--namespace", shipped.Namespace)...)
		cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("helm %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	count := func(kinds string) int {
		t.Helper()
		return strings.Count(env.Kubectl(t, "", "get", kinds, "-A", "-l", "app.kubernetes.io/instance=toolsets", "-o", "name"), "\n")
	}
	run("install", "toolsets", chart)
	if n := count("deployment,service,networkpolicy,poddisruptionbudget,serviceaccount,configmap,clusterrole,clusterrolebinding,role,rolebinding"); n != 13 {
		t.Errorf("%d objects are there, want 13", n)
	}
	const written = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kubernaut-toolset-config","namespace":"kubernaut-system"}}`
	env.Kubectl(t, written, "create", "-f", "-") // as the service does
	run("upgrade", "toolsets", chart, "--values", files["namespaced"])
	if n := count("clusterrole,clusterrolebinding"); n != 0 {
		t.Errorf("%d objects of the whole cluster are left", n)
	}
	run("uninstall", "toolsets")
	if n := count("deployment,service,serviceaccount,configmap,role,rolebinding"); n != 0 {
		t.Errorf("%d objects are left", n)
	}
	if env.ConfigMap(t) == nil {
		t.Error("the ConfigMap, and the admin's overrides in it, are gone")
	}
}

// customResources are what the Prometheus operator defines, as far as it is used here.
var customResources = definition("ServiceMonitor", `
              required: [endpoints, selector]
              properties:
                selector: {type: object, properties: {matchLabels: {type: object, additionalProperties: {type: string}}}}
                namespaceSelector: {type: object, properties: {matchNames: {type: array, items: {type: string}}}}
                endpoints:
                  type: array
                  items:
                    type: object
                    properties:
                      port: {type: string}
                      path: {type: string, pattern: "^/"}
                      interval: {type: string, pattern: "^[0-9]+(ms|s|m|h)$"}
                      honorLabels: {type: boolean}
                      scheme: {type: string, enum: [http, https]}
                      bearerTokenFile: {type: string}
                      tlsConfig: {type: object, x-kubernetes-preserve-unknown-fields: true}
`) + "---" + definition("PrometheusRule", `
              properties:
                groups:
                  type: array
                  items:
                    type: object
                    required: [name]
                    properties:
                      name: {type: string, minLength: 1}
                      rules:
                        type: array
                        items:
                          type: object
                          required: [expr]
                          properties:
                            alert: {type: string}
                            expr: {x-kubernetes-int-or-string: true}
                            for: {type: string, pattern: "^[0-9]+(ms|s|m|h)$"}
                            labels: {type: object, additionalProperties: {type: string}}
                            annotations: {type: object, additionalProperties: {type: string}}
`)

// definition is that of a kind of the Prometheus operator, with what its spec has.
func definition(kind, spec string) string {
	return strings.NewReplacer("KIND", kind, "NAME", strings.ToLower(kind)).Replace(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: NAMEs.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: KIND, plural: NAMEs, singular: NAME, listKind: KINDList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object`) + spec
}
