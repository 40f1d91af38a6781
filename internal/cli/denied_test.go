package cli

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// A Service that leads to a cloud's metadata is published by no command, though nothing is probed and its owner wants it
// published unproven.
func TestDeniedAddressIsNotPublished(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	manifests := func(address, family string) string {
		return `
apiVersion: v1
kind: Service
metadata:
  name: meta
  namespace: evil
  annotations:
    kubernaut.io/toolset: "true"
    kubernaut.io/toolset-type: meta
    kubernaut.io/toolset-health-endpoint: none
    kubernaut.io/toolset-path: /latest/meta-data
spec: {clusterIP: 10.96.3.2, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: meta-a, namespace: evil, labels: {kubernetes.io/service-name: meta}}
addressType: ` + family + `
endpoints: [{addresses: ["` + address + `"]}]
ports: [{name: http, port: 80, protocol: TCP}]
`
	}
	for _, tt := range []struct {
		address, family string
		denied          bool
	}{
		{"10.1.2.3", "IPv4", false}, {"100.100.100.200", "IPv4", true}, {"168.63.129.16", "IPv4", true},
		{`10.1.2.3", "100.100.100.200`, "IPv4", true}, {`10.1.2.3"]}, {conditions: {ready: false}, addresses: ["168.63.129.16`, "IPv4", true},
		{"fd00:ec2::254", "IPv6", true}, {"64:ff9b::a9fe:a9fe", "IPv6", true}, {"metadata.example.com", "FQDN", true},
	} {
		text := manifests(tt.address, tt.family)
		generated := runWith(t, text, "generate", "-f", "-")
		if got := !strings.Contains(generated.out, "/latest/meta-data"); generated.code != 0 || got != tt.denied {
			t.Errorf("%s: generate ends with %d:\n%s%s", tt.address, generated.code, generated.out, generated.err)
		}
		explained := runWith(t, text, "explain", "evil/meta", "-f", "-").out
		if got := strings.Contains(explained, "rejected"); got != tt.denied {
			t.Errorf("%s: explain says\n%s", tt.address, explained)
		}
		if got := strings.Contains(explained, "security.denyCIDRs"); got != tt.denied {
			t.Errorf("%s: explain says\n%s", tt.address, explained)
		}
	}
}

// What is denied was not asked, so that it is no backend that the user may ask.
func TestDeniedIsNotForbidden(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	finding := func(name, cause string) *backend.Finding {
		return &backend.Finding{
			Ref: backend.Ref{Namespace: "a", Name: name}, Candidate: &backend.Candidate{},
			Observation: backend.Observation{Outcome: backend.Unreachable, Cause: cause},
		}
	}
	d := discovered{findings: []*backend.Finding{finding("one", backend.CauseForbidden), finding("two", backend.CauseDenied)}}
	if _, err := d.forbidden(); err == nil {
		t.Error("the one that could be asked was forbidden, and that is no error")
	}
}
