package cli

import (
	"fmt"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/standin"
)

const linkedServices = `
{apiVersion: v1, kind: Service, metadata: {namespace: monitoring, name: grafana, labels: {app.kubernetes.io/name: grafana}}, spec: {clusterIP: %[1]s, ports: [{name: http, port: %[2]d}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {namespace: monitoring, name: grafana},
 spec: {tls: [{hosts: [grafana.company.com]}], rules: [{host: grafana.company.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: grafana, port: {name: http}}}}]}}]}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: evil, name: grafana, labels: {app.kubernetes.io/name: grafana}}, spec: {clusterIP: 10.0.0.9, ports: [{name: http, port: 3000}]}}
---
{apiVersion: route.openshift.io/v1, kind: Route, metadata: {namespace: evil, name: grafana},
 spec: {host: login.evil.example, tls: {termination: edge}, to: {kind: Service, name: grafana}, port: {targetPort: http}}}
`

// TestLinksOfFiles: Ingresses and Routes in files lead to links where the configuration asks for them, of hosts that it allows or of
// namespaces that it trusts; what a Service's owner says comes before. They are shown, and never requested.
func TestLinksOfFiles(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	grafana, people := standin.New(standin.Grafana, standin.Options{}), standin.New(standin.Grafana, standin.Options{})
	text := fmt.Sprintf(linkedServices, "127.0.0.1", listen(t, "127.0.0.1", grafana))
	args := []string{"-f", writeFile(t, "services.yaml", text), "--probe=direct", "--set", "health.tries=1"}
	from := []string{"--set", "links.from=[ingress,route]"}
	generate := []string{"generate", "--key", "custom_toolset.yaml"}
	with := func(lists ...[]string) (all []string) {
		for _, list := range lists {
			all = append(all, list...)
		}
		return append(all, args...)
	}
	const right = "external_url: https://grafana.company.com\n"
	for name, tt := range map[string]struct {
		args []string
		want int // how many times the right link is written
	}{
		"off":                 {with(generate, []string{"--set", "security.trustedNamespaces=[monitoring]"}), 0},
		"nobody is trusted":   {with(generate, from), 0},
		"an allowed host":     {with(generate, from, []string{"--set", "security.allowedLinkHosts=[grafana.company.com]"}), 1},
		"a trusted namespace": {with(generate, from, []string{"--set", "security.trustedNamespaces=[monitoring]"}), 1},
		"another kind":        {with(generate, []string{"--set", "links.from=[route]", "--set", "security.trustedNamespaces=[monitoring]"}), 0},
	} {
		out := mustRun(t, tt.args...).out
		if n := strings.Count(out, right); n != tt.want || n != strings.Count(out, "external_url") {
			t.Errorf("%s: %d links, want %d of\n%s", name, strings.Count(out, "external_url"), tt.want, out)
		}
	}
	trusted := []string{"--set", "security.trustedNamespaces=[monitoring]"}
	explain := []string{"explain", "monitoring/grafana"}
	expect(t, mustRun(t, with(explain, from, trusted)...).out, "https://grafana.company.com\n")
	expect(t, mustRun(t, with([]string{"discover", "-o", "json"}, from, trusted)...).out, `"link": "https://grafana.company.com"`)
	expect(t, flat(mustRun(t, with(explain, from)...).out), // what became of the Ingress
		"Ingress monitoring/grafana, grafana.company.com: links from this namespace must not lead to that host")

	link := fmt.Sprintf("http://127.0.0.1:%d/d", listen(t, "127.0.0.1", people))
	said := strings.Replace(text, "labels:", `annotations: {kubernaut.io/toolset-link: "`+link+`"}, labels:`, 1)
	args[1] = writeFile(t, "annotated.yaml", said)
	expect(t, mustRun(t, with(generate, from, trusted)...).out, "external_url: "+link+"\n")
	if n := len(people.Requests()); n > 0 {
		t.Errorf("the link was requested %d times", n)
	}
	expect(t, mustRun(t, with(explain)...).out, "security.allowedLinkHosts") // the host is not allowed
}

// TestLinkOfOutsideBackend: the configuration says where people look at a backend that is no Service.
func TestLinkOfOutsideBackend(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-DET-13")
	out := mustRun(t, "generate", "-f", writeFile(t, "none.yaml", fmt.Sprintf(linkedServices, "10.0.0.8", 80)), "--key", "custom_toolset.yaml",
		"--set", `backends=[{name: logs, type: loki, url: "https://loki.example.com", link: "https://grafana.example.com/"}]`).out
	expect(t, out, "api_url: https://loki.example.com:443\n", "external_url: https://grafana.example.com\n")
}
