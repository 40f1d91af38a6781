package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// TestNamespaces: what -n, -A and the configuration look at, in a cluster and in files alike.
func TestNamespaces(t *testing.T) {
	t.Attr("req", "DTS-DET-9 DTS-CLI-1")
	all := []string{"a", "b", "c"}
	var services []corev1.Service
	var file strings.Builder
	for _, ns := range all {
		services = append(services, serviceObject(ns, "grafana", named("grafana"), "10.0.0.1", port("", 80, 3000)))
		file.WriteString(yamlService(ns, "grafana", strongGrafana, "10.0.0.1", 3000))
	}
	path := writeFile(t, "services.yaml", file.String())
	only, exclude := "discovery.namespaces=[a, b]", "discovery.excludeNamespaces=[a]"
	tests := []struct {
		name string
		args []string
		want []string
		asks []string // namespaces of the Lists; "" for all
	}{
		{"nothing said", nil, all, []string{""}},
		{"-n", []string{"-n", "c"}, []string{"c"}, []string{"c"}},
		{"namespaces", []string{"--set", only}, []string{"a", "b"}, []string{"a", "b"}},
		{"exclude", []string{"--set", exclude}, []string{"b", "c"}, []string{""}},
		{"-A over namespaces", []string{"-A", "--set", only}, all, []string{""}},
		{"-A leaves out what is left out", []string{"-A", "--set", exclude}, []string{"b", "c"}, []string{""}},
		{"-n over namespaces", []string{"-n", "c", "--set", only}, []string{"c"}, []string{"c"}},
		{"-n over exclude", []string{"-n", "a", "--set", exclude}, []string{"a"}, []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			api := &apiServer{services: services}
			_, kubeconfig := api.start(t)
			for from, args := range map[string][]string{"cluster": {"--kubeconfig", kubeconfig, "--probe=off"}, "file": {"-f", path}} {
				var got []string
				r := mustRun(t, append(append([]string{"discover"}, args...), tt.args...)...)
				for _, ns := range all {
					if strings.Contains(r.out, "grafana."+ns+".svc") {
						got = append(got, ns)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("%s: shows %v, want %v", from, got, tt.want)
				}
			}
			var asks []string
			for _, path := range api.asked() {
				if strings.HasSuffix(path, "/services") {
					path = strings.TrimPrefix(strings.TrimPrefix(path, "/api/v1/namespaces/"), "/api/v1/")
					ns, _, _ := strings.Cut(strings.TrimSuffix(path, "services"), "/")
					asks = append(asks, ns)
				}
			}
			if diff := cmp.Diff(tt.asks, asks); diff != "" {
				t.Errorf("namespaces listed (-want +got)\n%s", diff)
			}
		})
	}
}

// TestNamespaceWithoutServices: a namespace that somebody names and that has none, perhaps for a slip of the pen, is told, as
// kubectl does it.
func TestNamespaceWithoutServices(t *testing.T) {
	t.Attr("req", "DTS-CLI-2 DTS-CLI-5")
	services := []corev1.Service{
		serviceObject("a", "grafana", named("grafana"), "10.0.0.1", port("", 80, 3000)),
		serviceObject("b", "checkout", nil, "10.0.0.2", port("", 80, 8080)),
	}
	_, kubeconfig := (&apiServer{services: services}).start(t)
	_, unreadable := (&apiServer{services: services, refuse: forbids("/namespaces/nope/", true)}).start(t)
	file := writeFile(t, "services.yaml", yamlService("a", "grafana", strongGrafana, "10.0.0.1", 3000))
	const none = "No Services in namespace nope.\n"
	tests := []struct {
		name string
		args []string
		want string // on standard error
	}{
		{"table", []string{"discover", "--kubeconfig", kubeconfig, "-n", "nope"}, none},
		{"all", []string{"discover", "--all", "--kubeconfig", kubeconfig, "-n", "nope"}, none},
		{"JSON", []string{"discover", "-o", "json", "--kubeconfig", kubeconfig, "-n", "nope"}, none},
		{"file", []string{"discover", "-o", "json", "-f", file, "-n", "nope"}, none},
		{"configuration", []string{"discover", "--probe=off", "--kubeconfig", kubeconfig, "--set", "discovery.namespaces=[a, nope]"}, none},
		{"generate", []string{"generate", "-f", file, "-n", "nope"}, none + "no backends among 0 Services: the document has only what holmesgpt.baseline and the overrides give it\n" + baselineTokens},
		{"Services that are nothing", []string{"discover", "--probe=off", "--kubeconfig", kubeconfig, "-n", "b"},
			"No backends. 1 Service read: 1 rejected. See them all with --all, ask about one with: explain NAMESPACE/NAME\n"},
		{"all namespaces", []string{"discover", "--probe=off", "--kubeconfig", kubeconfig, "-A"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := mustRun(t, tt.args...); got.err != tt.want {
				t.Errorf("stderr: %s, want %s", got.err, tt.want)
			}
		})
	}
	r := mustRun(t, "discover", "--probe=off", "--kubeconfig", unreadable, "--set", "discovery.namespaces=[a, nope]")
	if !strings.Contains(r.err, "nope") || strings.Contains(r.err, "No Services") {
		t.Errorf("of a namespace that may not be read it is not known: %s", r.err)
	}
}

// TestDefaultNamespace: objects of a rendered chart that name no namespace are in the one -n names.
func TestDefaultNamespace(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	chart := "{apiVersion: v1, kind: Service, metadata: {name: grafana, labels: {app.kubernetes.io/name: grafana}}, spec: {ports: [{port: 3000}]}}\n"
	for ns, args := range map[string][]string{"default": nil, "obs": {"-n", "obs"}} {
		expect(t, runWith(t, chart, append([]string{"discover", "-f", "-"}, args...)...).out, "grafana."+ns+".svc")
	}
}
