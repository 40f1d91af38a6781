package cli

import (
	"strings"
	"testing"
)

// The configuration says which types are looked for, where, and by which labels of the admin's own.
func TestTypesByConfiguration(t *testing.T) {
	t.Attr("req", "DTS-DET-12")
	files := writeFile(t, "services.yaml", `apiVersion: v1
kind: Service
metadata: {name: traces-query, namespace: team-a, labels: {app.kubernetes.io/name: jaeger, app.kubernetes.io/component: query}}
spec: {clusterIP: 10.0.0.1, selector: {app: traces}, ports: [{name: http-query, port: 16686}]}
---
apiVersion: v1
kind: Service
metadata: {name: measure, namespace: team-b, labels: {team: metrics-core}}
spec: {clusterIP: 10.0.0.2, selector: {app: measure}, ports: [{name: http, port: 8080}]}
`)
	for _, tt := range []struct{ name, set, service, want, because string }{
		{"unchanged", "log.level=info", "team-a/traces-query", "accepted", "label"},
		{"unchanged, no sign", "log.level=info", "team-b/measure", "rejected", "nothing about it looks like a known backend"},
		{"off", "types.jaeger.enabled=false", "team-a/traces-query", "rejected", "the configuration switches jaeger off (types.jaeger.enabled)"},
		{"off, the line", "types.jaeger.enabled=false", "team-a/traces-query", "rejected", "types: {jaeger: {enabled: true}}"},
		{"on", "types.jaeger.enabled=true", "team-a/traces-query", "accepted", "label"},
		{"another is off", "types.zipkin.enabled=false", "team-a/traces-query", "accepted", "label"},
		{"elsewhere", "types.jaeger.namespaces=[tracing, 'x-*']", "team-a/traces-query", "rejected",
			`types: {jaeger: {namespaces: ["tracing", "x-*", "team-a"]}}`},
		{"here", "types.jaeger.namespaces=[tracing, 'team-*']", "team-a/traces-query", "accepted", "label"},
		{"labels", "types.prometheus.labels=[{team: metrics-core}]", "team-b/measure", "accepted",
			"the configuration says so (types.prometheus.labels)"},
		{"all of the labels", "types.prometheus.labels=[{team: metrics-core, tier: main}]", "team-b/measure", "rejected", "nothing about it"},
		{"any of several", "types.prometheus.labels=[{tier: main}, {team: 'metrics-*'}]", "team-b/measure", "accepted", "types.prometheus.labels"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "explain", "-f", files, "--set", tt.set, tt.service)
			if !strings.Contains(r.out, tt.want) || !strings.Contains(r.out, tt.because) {
				t.Errorf("expected %s because %q:\n%s%s", tt.want, tt.because, r.out, r.err)
			}
			written := mustRun(t, "generate", "-f", files, "--set", tt.set).out
			_, name, _ := strings.Cut(tt.service, "/")
			if got := strings.Contains(written, name+"."); got != (tt.want == "accepted") {
				t.Errorf("written: %t\n%s", got, written)
			}
		})
	}
}
