//go:build holmes

package holmes

import (
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
)

// TestTextsThatPythonMisreads has a stranger call a tenant what Python's YAML reader takes for a number or a date, and fails on: without
// quotes HolmesGPT would refuse the whole file.
func TestTextsThatPythonMisreads(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	file, hosts := cluster(t, service{
		namespace: "evil", name: "x", port: "http", target: 3100,
		annotations: map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "loki", "kubernaut.io/toolset-health-endpoint": "none",
			"kubernaut.io/toolset-tenant": "0x_,-0b_,2001-99-99,0xffffffffffffffffffff", "kubernaut.io/toolset-description": "=",
		},
	})
	document, _ := generate(t, program.Binary(t), file)
	check(t, Case{Name: "tenants", Document: document, Hosts: hosts, Expect: Expect{
		Toolsets: map[string]string{"grafana/loki": "failed"}, // nothing is behind it
	}})
}
