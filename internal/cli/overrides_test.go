package cli

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// A credential of the overrides goes to what the configuration names or trusts, in both forms, and never to the only one.
func TestCredentialOfTheOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	text := `toolsets: {grafana/loki: {config: {api_key: "{{ env.TOKEN }}"}}}` + "\n" +
		`compact: {loki: {config: {apiKey: "${TOKEN}"}}}` + "\n"
	overrides := writeFile(t, "overrides.yaml", text)
	for _, tt := range []struct {
		set   string
		given bool
	}{
		{"log.level=info", false},
		{"primary.loki=obs/loki", true},
		{"security.trustedNamespaces=[obs]", true},
		{"primary.loki=obs/another", false},
		{"security.trustedNamespaces=[another]", false},
	} {
		api := &apiServer{
			services: []corev1.Service{serviceObject("obs", "loki", named("loki"), "10.0.0.1", port("", 3100, 3100))},
			data:     map[string]string{"overrides.yaml": text},
		}
		_, kubeconfig := api.start(t)
		for _, args := range [][]string{
			{"generate", "--overrides", overrides}, {"diff", "--overrides", overrides}, {"diff"},
		} {
			r := run(t, append(args, "--kubeconfig", kubeconfig, "--probe=off", "--set", tt.set)...)
			written := strings.Count(r.out, "env.TOKEN") + strings.Count(r.out, "apiKey: ${TOKEN}")
			if !strings.Contains(r.out, "http://loki.obs") || tt.given && written != 2 || !tt.given && written != 0 {
				t.Errorf("%s --set %s: %d references: %+v", args, tt.set, written, r)
			}
			if args[0] == "generate" && strings.Contains(r.err, "no instance gets this credential") == tt.given {
				t.Errorf("%s --set %s: said: %s", args, tt.set, r.err)
			}
		}
	}
}
