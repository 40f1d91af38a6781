//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// What generate says about large ConfigMaps is so: from the size on at which it says that kubectl apply refuses them, it
// does, and with --server-side they are applied up to the size at which generate itself refuses them.
func TestGenerateLarge(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	env := testenv.Shared(t)
	file := filepath.Join(t.TempDir(), "services.yaml")
	generate := func(n int) testenv.Result {
		t.Helper()
		var services strings.Builder
		for i := range n {
			fmt.Fprintf(&services, "{apiVersion: v1, kind: Service, metadata: {name: s%04d, namespace: shop, annotations: "+
				"{kubernaut.io/toolset: 'true', kubernaut.io/toolset-type: custom}}, "+
				"spec: {clusterIP: 10.0.0.9, ports: [{port: 80}]}}\n---\n", i)
		}
		must(t, os.WriteFile(file, []byte(services.String()), 0o600))
		return env.Run(t, env.Kubeconfig(), "generate", "-f", file, "--set", "security.trustedNamespaces=[shop]")
	}
	// The number of APIs from which on generate says or does something.
	least := func(from, to int, is func(testenv.Result) bool) int {
		t.Helper()
		for from < to {
			if middle := (from + to) / 2; is(generate(middle)) {
				to = middle
			} else {
				from = middle + 1
			}
		}
		return from
	}
	noted := least(1, 3000, func(r testenv.Result) bool {
		return strings.Contains(r.Stderr, "--server-side") || r.Code != 0
	})
	refused := least(noted, 6000, func(r testenv.Result) bool { return r.Code != 0 })
	t.Logf("said from %d APIs on, refused from %d", noted, refused)
	for _, tt := range []struct {
		what  string
		n     int
		args  []string
		fails string
	}{
		{"what is said nothing about", noted - 1, nil, ""},
		{"what it is said of", noted, nil, "Too long: may not be more than 262144 bytes"},
		{"the largest, server-side", refused - 1, []string{"--server-side"}, ""},
	} {
		env.Kubectl(t, "", "delete", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName, "--ignore-not-found")
		r := env.TryKubectl(t, generate(tt.n).Stdout, append([]string{"apply", "-f", "-"}, tt.args...)...)
		if !strings.Contains(r.Stderr, tt.fails) || (r.Code != 0) != (tt.fails != "") {
			t.Errorf("%s: exit %d: %.500s", tt.what, r.Code, r.Stderr)
		}
	}
	r := generate(refused)
	if r.Code != 1 || r.Stdout != "" || !strings.Contains(r.Stderr, "a ConfigMap has at most 1024 KiB") {
		t.Errorf("refused: exit %d, %d bytes: %.500s", r.Code, len(r.Stdout), r.Stderr)
	}
}
