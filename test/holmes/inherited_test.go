//go:build holmes

package holmes

import (
	"os"
	"path/filepath"
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// The real HolmesGPT sends a credential that the overrides put at the top of a toolset, and that is written into the instance
// it is for.
func TestCredentialOfTheOverridesIsSent(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	overrides := filepath.Join(t.TempDir(), "overrides.yaml")
	text := `toolsets: {prometheus/metrics: {config: {additional_headers: {Authorization: "Bearer {{ env.TOKEN }}"}}}}`
	must(t, os.WriteFile(overrides, []byte(text), 0o600))
	backend := standin.New(standin.Prometheus, standin.Options{})
	services, hosts := cluster(t, service{
		namespace: "ours", name: "prometheus", labels: app("prometheus", component, "server"), port: "http", target: 9090, backend: backend,
	})
	document, _ := generate(t, program.Binary(t), services, "--probe=direct", "--overrides", overrides,
		"--set", "primary.prometheus=ours/prometheus")
	check(t, Case{Name: "inherited", Document: document, Hosts: hosts, Expect: Expect{Env: map[string]string{"TOKEN": "s3cret"}}})
	asked, sent := 0, 0
	for _, r := range backend.Requests() {
		if r.Header.Get("User-Agent") == "dynamic-toolset" {
			continue
		}
		asked++
		if r.Header.Get("Authorization") == "Bearer s3cret" {
			sent++
		}
	}
	if asked == 0 || sent != asked {
		t.Errorf("%d of %d requests of HolmesGPT had the credential:\n%s", sent, asked, document)
	}
}
