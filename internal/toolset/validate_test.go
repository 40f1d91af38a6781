package toolset

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func report(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s: %s\n", p.Severity, p.Error.Error())
	}
	return b.String()
}

func TestValidate(t *testing.T) {
	t.Attr("req", "DTS-OUT-2")
	for name, tt := range map[string]struct{ text, want string }{
		"good":           {"toolsets: {kubernetes/core: {enabled: true}}\n", ""},
		"good to Python": {"toolsets: {kubernetes/core: {enabled: Yes, description: 08}}\n", ""},
		"empty":          {"", "error: f.yaml: empty; expected one YAML document\n"},
		"a list":         {"- a\n", "error: f.yaml:1:1: expected a mapping with toolsets and mcp_servers\n"},
		"no toolset":     {"toolsets: {}\n", "error: f.yaml:1:1: no toolset and no MCP server: HolmesGPT would reject the file\n"},
		"servers alone":  {"mcp_servers: {a: {config: {url: http://a, mode: streamable-http}}}\n", ""},
		"null": {
			"toolsets:\n  a/b:\nmcp_servers:\n",
			"error: f.yaml:2:3: toolsets.a/b: expected a mapping such as {enabled: true}\n" +
				"error: f.yaml:3:1: mcp_servers: empty: HolmesGPT would reject the whole file; remove the key, or write {}\n",
		},
		"many": {
			`toolsets:
  prometheus/metrics:
    config:
      api_key: "{{ env.KEY }}"
      instances:
        - {name: a, prometheus_url: "http://a"}
        - {name: b, prometheus_url: "${PROM}"}
  grafana/loki: {enabled: true, url: "http://x"}
  jaeger/a/b-c: &jaeger {type: http, enabled: true, config: {endpoints: [{hosts: [http://a]}]}}
  jaeger/a-b/c: *jaeger
  promtheus/metrics: {enabled: true}
mcp_servers:
  tickets: {config: {url: "http://t", mode: sse2}}
  github: {config: {url: "http://g"}}
other: {a.b: 1}
`,
			`warning: f.yaml:2:3: toolsets.prometheus/metrics: enabled is missing: a toolset of HolmesGPT's own stays off without enabled: true
warning: f.yaml:4:16: toolsets.prometheus/metrics.config.api_key: a credential here goes to all 2 instances: put it into the one it is for
note: f.yaml:4:16: toolsets.prometheus/metrics.config.api_key: HolmesGPT needs the environment variable KEY
warning: f.yaml:7:37: toolsets.prometheus/metrics.config.instances[1].prometheus_url: HolmesGPT does not expand ${NAME} here; write {{ env.NAME }}
error: f.yaml:8:38: toolsets.grafana/loki.url: HolmesGPT rejects this field in a toolset of type built-in
warning: f.yaml:9:17: toolsets.jaeger/a/b-c: its tool is called jaeger_a_b_c_request like that of jaeger/a-b/c, and only one of the two can be used
warning: f.yaml:10:17: toolsets.jaeger/a-b/c: its tool is called jaeger_a_b_c_request like that of jaeger/a/b-c, and only one of the two can be used
warning: f.yaml:11:22: toolsets.promtheus/metrics: HolmesGPT 0.45 has no toolset promtheus/metrics, and one of your own needs description and tools, or a type such as http
error: f.yaml:13:45: mcp_servers.tickets.config.mode: expected streamable-http, sse or stdio
warning: f.yaml:14:20: mcp_servers.github.config: mode is missing: HolmesGPT takes sse, most servers speak streamable-http
note: f.yaml:15:8: other: HolmesGPT ignores this key
error: f.yaml:15:14: other["a.b"]: a key must not contain a dot: HolmesGPT would reject the whole file
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, report(Validate("f.yaml", []byte(tt.text)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What this package writes is what it calls good.
func TestValidateOwnDocument(t *testing.T) {
	t.Attr("req", "DTS-OUT-2")
	d := document(t, append(oneOfEach(), custom()...), options(t), "")
	keys := keysOf(t, d)
	notes := 0
	for _, p := range Validate(KeyHolmesGPT, []byte(keys[KeyHolmesGPT])) {
		if p.Severity != Note {
			t.Errorf("%s: %v", p.Severity, p.Error)
		}
		notes++
	}
	if want := len(d.Variables()); notes != want {
		t.Errorf("%d notes of variables, want %d", notes, want)
	}
}
