//go:build integration

package integration

import (
	"strings"
	"testing"

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

	patch := func(data object) { t.Helper(); must(t, edit(env, "admin").patch(t.Context(), object{"data": data})) }
	patch(object{"notes": "a key that nobody generates"})
	diff(0)
	patch(object{extra: "toolset: zipkin"}) // a reserved name
	diff(1, "-toolset: zipkin")
	patch(object{extra: nil, overrides: "toolsets: {kubernetes/logs: {enabled: false}}"})
	diff(1, "+    enabled: false")
	patch(object{overrides: nil})
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
}
