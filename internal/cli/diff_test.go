package cli

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// generated is the data of the ConfigMap that generate prints.
func generated(t *testing.T, kubeconfig string, more ...string) map[string]string {
	t.Helper()
	var cm corev1.ConfigMap
	if err := yaml.Unmarshal([]byte(mustRun(t, append([]string{"generate", "--kubeconfig", kubeconfig}, more...)...).out), &cm); err != nil {
		t.Fatal(err)
	}
	return cm.Data
}

func TestDiff(t *testing.T) {
	t.Attr("req", "DTS-CLI-3")
	services := []corev1.Service{
		serviceObject("obs", "grafana", named("grafana"), "10.0.0.1", port("", 80, 3000)),
		serviceObject("obs", "loki", named("loki"), "10.0.0.2", port("", 3100, 3100)),
	}
	// What the cluster holds is what would be written for the first Service.
	first := &apiServer{services: services[:1]}
	_, kubeconfig := first.start(t)
	data := generated(t, kubeconfig)
	data["state.json"] = "{}"
	data["mine.txt"] = "not ours"
	first.data = data
	diff := func(t *testing.T, api *apiServer, more ...string) result {
		t.Helper()
		_, kubeconfig := api.start(t)
		return run(t, append([]string{"diff", "--kubeconfig", kubeconfig, "--probe=off"}, more...)...)
	}

	if r := diff(t, first); (r != result{}) {
		t.Errorf("the same: %+v", r)
	}
	t.Run("different", func(t *testing.T) {
		api := &apiServer{services: services, data: map[string]string{"jaeger-toolset.yaml": "old\n"}}
		for k, v := range data {
			api.data[k] = v
		}
		r := diff(t, api)
		if r.code != 1 || r.err != "" {
			t.Errorf("exit code %d, stderr %s", r.code, r.err)
		}
		golden(t, "diff", steady(r.out))
	})
	t.Run("no ConfigMap yet", func(t *testing.T) {
		r := diff(t, &apiServer{services: services[:1]})
		if r.code != 1 || !strings.Contains(r.out, "+toolset: grafana") || strings.Contains(strings.ReplaceAll(r.out, "\n--- ", ""), "\n-") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("the cluster's overrides count", func(t *testing.T) {
		api := &apiServer{services: services[:1], data: map[string]string{"overrides.yaml": "toolsets: {grafana/dashboards: null}\n"}}
		r := diff(t, api)
		if r.code != 1 || strings.Contains(r.out, "grafana/dashboards") {
			t.Errorf("%+v", r)
		}
		r = diff(t, api, "--overrides", writeFile(t, "o.yaml", "{}\n"))
		if r.code != 1 || !strings.Contains(r.out, "grafana/dashboards") {
			t.Errorf("--overrides instead: %+v", r)
		}
	})
	t.Run("the cluster's overrides are bad", func(t *testing.T) {
		r := diff(t, &apiServer{services: services[:1], data: map[string]string{"overrides.yaml": "toolsets: [\n"}})
		if r.code != 2 || r.out != "" || !strings.HasPrefix(r.err, "error: ConfigMap kubernaut-system/kubernaut-toolset-config, overrides.yaml:") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("the ConfigMap may not be read", func(t *testing.T) {
		want := result{2, "", "error: not allowed to get configmaps kubernaut-system/kubernaut-toolset-config (403); to allow it, add a Role in \"kubernaut-system\" " +
			"with {apiGroups: [\"\"], resources: [configmaps], resourceNames: [kubernaut-toolset-config], verbs: [get]}\n"}
		if got := diff(t, &apiServer{services: services, refuse: forbids("/configmaps/", true)}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("Services from a file", func(t *testing.T) {
		r := diff(t, first, "-f", clusterFile)
		if r.code != 1 || !strings.Contains(r.out, "+      - name: monitoring/prometheus-server") {
			t.Errorf("%+v", r)
		}
	})
}

// What a service has recorded as the primary stays, as it does in the service: another one is no difference.
func TestDiffKeepsThePrimary(t *testing.T) {
	t.Attr("req", "DTS-CLI-3 DTS-OUT-4")
	api := &apiServer{services: []corev1.Service{
		serviceObject("a", "grafana", named("grafana"), "10.0.0.1", port("", 80, 3000)),
		serviceObject("b", "grafana", named("grafana"), "10.0.0.2", port("", 80, 3000)),
	}}
	_, kubeconfig := api.start(t)
	api.data = generated(t, kubeconfig, "--set", "primary.grafana=b/grafana")
	for _, tt := range []struct {
		name, state string
		args        []string
		code        int
	}{
		{"recorded", `{"version": 1, "published": [], "primaries": {"grafana": "b/grafana"}}`, []string{"--set", "security.trustedNamespaces=[b]"}, 0},
		{"its Service has gone", `{"version": 1, "published": [], "primaries": {"grafana": "c/grafana"}}`, []string{"--set", "security.trustedNamespaces=[b, c]"}, 1},
		{"a stranger's Service has gone", `{"version": 1, "published": [], "primaries": {"grafana": "c/grafana"}}`, []string{"--set", "security.trustedNamespaces=[b]"}, 0},
		{"the configuration wants another", `{"version": 1, "published": [], "primaries": {"grafana": "b/grafana"}}`, []string{"--set", "primary.grafana=a/grafana"}, 1},
		{"unreadable", `{`, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api.data["state.json"] = tt.state
			r := run(t, append([]string{"diff", "--kubeconfig", kubeconfig, "--probe=off"}, tt.args...)...)
			if r.code != tt.code || r.err != "" {
				t.Errorf("exit code %d, want %d: %s%s", r.code, tt.code, r.out, r.err)
			}
		})
	}
}

func TestDiffColours(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	const text = "--- a\n+++ b\n same\n-old\n+new\n\\ No newline at end of file\n"
	if got := (painter{}).diff(text); got != text {
		t.Errorf("without colours: %q", got)
	}
	want := "\x1b[31m--- a\n\x1b[0m\x1b[32m+++ b\n\x1b[0m same\n\x1b[31m-old\n\x1b[0m\x1b[32m+new\n\x1b[0m\\ No newline at end of file\n"
	if got := (painter{on: true}).diff(text); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
