package cli

import (
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
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

// What the configuration says of probes, limits and keys of one's own reaches those who go by it.
func TestSettingsArePassedOn(t *testing.T) {
	t.Attr("req", "DTS-CFG-1 DTS-PRB-1 DTS-OUT-11 DTS-OUT-15")
	c, err := config.Load("", []string{
		"health.timeout=7s", "health.tries=9", "health.concurrency=11", "security.denyCIDRs=[10.9.0.0/16]",
		"security.maxInstancesPerNamespace=13", "output.keys={mine.yaml: {a: b}}", "tls.insecureSkipVerify=[a/b]",
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := probeOptions(c)
	if err != nil {
		t.Fatal(err)
	}
	if p.Timeout != 7*time.Second || p.Tries != 9 || p.Concurrency != 11 || len(p.DenyCIDRs) != 1 || p.DenyCIDRs[0].Bits() != 16 ||
		!p.Insecure(backend.Ref{Namespace: "a", Name: "b"}) || p.Insecure(backend.Ref{Namespace: "b", Name: "b"}) {
		t.Errorf("probes go by %+v", p)
	}
	if n := inventoryOptions(c).MaxPerNamespace; n != 13 {
		t.Errorf("the limit of a namespace is %d", n)
	}
	if own := toolsetOptions(c, &catalog.Catalog{}).Own; own["mine.yaml"] == nil {
		t.Errorf("the keys of one's own are %v", own)
	}
}
