package cli

import (
	"fmt"
	"testing"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestExternalName: an ExternalName Service that its owner includes is told in one message what the configuration has to
// allow, and is then asked, judged and written at the host that it stands for. The denied networks hold for it.
func TestExternalName(t *testing.T) {
	t.Attr("req", "DTS-DET-7 DTS-PRB-5")
	prometheus := standin.New(standin.Prometheus, standin.Options{Version: "3.5.0"})
	port := listen(t, "127.0.0.1", prometheus)
	file := writeFile(t, "services.yaml", fmt.Sprintf(`
{apiVersion: v1, kind: Service, metadata: {namespace: infra, name: metrics, annotations: {kubernaut.io/toolset: "true",
  kubernaut.io/toolset-type: prometheus, kubernaut.io/toolset-endpoint: "http://localhost:%d"}},
 spec: {type: ExternalName, externalName: localhost}}
`, port))
	args := []string{"-f", file, "--probe=direct", "--set", "health.tries=1"}
	explain := append([]string{"explain", "infra/metrics"}, args...)
	allow := []string{"--set", "security.allowedEndpointHosts=[localhost]"}

	out := mustRun(t, explain...).out
	expect(t, out, "infra/metrics is rejected", "security: {allowedEndpointHosts: [localhost]}")
	out = mustRun(t, append(append(explain, allow...), "--set", "security.denyCIDRs=[127.0.0.0/8, \"::1/128\"]")...).out
	expect(t, out, "infra/metrics is rejected", "security.denyCIDRs")
	if n := len(prometheus.Requests()); n > 0 {
		t.Errorf("%d requests before it was allowed", n)
	}
	out = mustRun(t, append(explain, allow...)...).out
	expect(t, out, "infra/metrics is accepted as prometheus")
	out = mustRun(t, append(append([]string{"generate", "--key", "custom_toolset.yaml"}, args...), allow...)...).out
	expect(t, out, fmt.Sprintf("prometheus_url: http://localhost:%d\n", port))
}
