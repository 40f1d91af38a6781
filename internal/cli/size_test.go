package cli

import (
	"fmt"
	"strings"
	"testing"
)

// apis are n Services of a namespace that their owner includes as APIs of that type.
func apis(namespace, typ string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "knowledge-base-%04d", "namespace": %q, `+
			`"annotations": {"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": %q}}, `+
			`"spec": {"clusterIP": "10.0.0.9", "ports": [{"port": 80}]}}`+"\n", i, namespace, typ)
	}
	return b.String()
}

// TestGenerateTooLarge: what no ConfigMap holds is refused, with what makes it so large.
func TestGenerateTooLarge(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	const trusted = "security.trustedNamespaces=[evil, shop, sales, search]" // which have no limit of their own
	file := writeFile(t, "services.json",
		apis("evil", "custom", 1600)+apis("shop", "prometheus", 900)+apis("sales", "jaeger", 100)+apis("search", "loki", 2))
	args := []string{"generate", "-f", file, "--set", trusted}

	r := run(t, args...)
	if r.code != 1 || r.out != "" {
		t.Errorf("exit code %d, %d bytes on standard output", r.code, len(r.out))
	}
	if !strings.HasPrefix(r.err, "error: the ConfigMap would have ") || strings.Count(r.err, "\n") != 1 {
		t.Errorf("standard error: %.2000s", r.err)
	}
	expect(t, r.err,
		"a ConfigMap has at most 1024 KiB",
		"the largest namespaces: evil (", " KiB), shop (", " KiB), sales (",
		"the largest types: custom (", " KiB), prometheus (", " KiB), jaeger (",
		"discovery.namespaces", "security.maxInstancesPerNamespace", "output.formats")

	// A key that is small enough is printed, whatever the others are.
	r = run(t, append(args, "--key", "prometheus-toolset.yaml")...)
	if r.code != 0 || !strings.Contains(r.out, "toolset: prometheus\n") {
		t.Errorf("a small key: exit code %d: %.2000s", r.code, r.err)
	}
	r = run(t, append(args, "--key", "custom_toolset.yaml", "--set", "discovery.namespaces=[shop, sales]")...)
	if r.code != 0 {
		t.Errorf("one format of fewer namespaces: exit code %d: %.2000s", r.code, r.err)
	}
	more := writeFile(t, "more.json", apis("evil", "custom", 2500))
	r = run(t, "generate", "-f", more, "--set", trusted, "--key", "custom_toolset.yaml")
	if r.code != 1 || r.out != "" || !strings.HasPrefix(r.err, "error: custom_toolset.yaml would have ") {
		t.Errorf("a key that is too large: exit code %d, %d bytes on standard output: %.2000s", r.code, len(r.out), r.err)
	}
}
