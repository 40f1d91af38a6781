//go:build holmes

package holmes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// On OpenShift the real HolmesGPT sends the token of its own ServiceAccount to a Prometheus that names no Authorization. What
// is generated keeps it from those outside the trusted namespaces, and lets it reach those inside.
func TestTokenStaysAtHome(t *testing.T) {
	t.Attr("req", "DTS-OUT-14")
	const token = "agents-own-token"
	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte(token), 0o600))
	binary := program.Binary(t)
	for _, tc := range []struct {
		name     string
		args     []string
		outside  bool // whether the one outside the trusted namespaces is sent it
		inside   bool
		document string
	}{
		{"kept", []string{"--set", "holmesgpt.openshift=true"}, false, true, "Basic Og=="},
		{"control", []string{"--set", "holmesgpt.openshift=false"}, true, true, "prometheus/metrics"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			evil, platform := standin.New(standin.Prometheus, standin.Options{}), standin.New(standin.Prometheus, standin.Options{})
			labels := app("prometheus", component, "server")
			services, hosts := cluster(t,
				service{namespace: "evil", name: "prometheus", labels: labels, port: "http", target: 9090, backend: evil},
				service{namespace: "platform", name: "prometheus", labels: labels, port: "http", target: 9090, backend: platform})
			document, said := generate(t, binary, services, append(tc.args, "--probe=direct", "--set", "security.trustedNamespaces=[platform]")...)
			if !strings.Contains(string(document), tc.document) {
				t.Fatalf("the document lacks %q:\n%s\n%s", tc.document, document, said)
			}
			check(t, Case{Name: tc.name, Document: document, Hosts: hosts, Expect: Expect{
				Env: map[string]string{"IS_OPENSHIFT": "True", "TOKEN_LOCATION": file},
			}})
			for name, b := range map[string]*standin.Backend{"evil": evil, "platform": platform} {
				asked, sent := 0, false
				for _, r := range b.Requests() {
					if r.Header.Get("User-Agent") != "dynamic-toolset" {
						asked++
					}
					sent = sent || strings.Contains(r.Header.Get("Authorization"), token)
				}
				if asked == 0 {
					t.Errorf("HolmesGPT did not ask %s", name)
				}
				if want := map[string]bool{"evil": tc.outside, "platform": tc.inside}[name]; sent != want {
					t.Errorf("the token was sent to %s: %t, want %t", name, sent, want)
				}
			}
		})
	}
}
