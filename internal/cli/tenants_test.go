package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// Backends that keep tenants apart are not published until one is named, and then once for each.
func TestTenants(t *testing.T) {
	t.Attr("req", "DTS-DET-14 DTS-CLI-4")
	kinds := []struct{ typ, ip, label string }{
		{"loki", "127.0.13.1", "app.kubernetes.io/name: loki, app.kubernetes.io/component: gateway"},
		{"tempo", "127.0.13.2", "app.kubernetes.io/name: tempo, app.kubernetes.io/component: query-frontend"},
		{"mimir", "127.0.13.3", "app.kubernetes.io/name: mimir, app.kubernetes.io/component: query-frontend"},
	}
	var text strings.Builder
	for _, k := range kinds {
		port := listen(t, k.ip, standin.New(standin.Kind(k.typ), standin.Options{Tenant: "team-a"}))
		text.WriteString(yamlService("obs", k.typ, k.label, k.ip, port))
		_, _ = fmt.Fprintf(&text, `---
{apiVersion: v1, kind: Service, metadata: {namespace: obs, name: own-%s, labels: {%s}, annotations: {kubernaut.io/toolset-tenant: team-a}},
 spec: {clusterIP: %s, selector: {app: other}, ports: [{name: http-metrics, port: %d}]}}
`, k.typ, k.label, k.ip, port)
	}
	args := []string{"-f", writeFile(t, "services.yaml", strings.ReplaceAll(text.String(), "name: http,", "name: http-metrics,")), "--probe=direct", "--set", "health.tries=1"}
	for _, k := range kinds {
		line := fmt.Sprintf("tenants: {%s: {obs/%s: [TENANT]}}", k.typ, k.typ)
		r := mustRun(t, append([]string{"explain", "obs/" + k.typ}, args...)...)
		expect(t, r.out, "unavailable", line, "kubernaut.io/toolset-tenant=TENANT")
		forbid(t, r.out, "credentials: {")
	}
	named := append(args, "--set", "tenants={loki: {obs/loki: [team-a, team-b]}}")
	document := mustRun(t, append([]string{"generate", "--key", "custom_toolset.yaml"}, named...)...)
	expect(t, document.out, "name: obs/loki/team-a", "name: obs/own-loki/team-a", "name: obs/own-tempo/team-a", "name: obs/own-mimir/team-a",
		"X-Scope-OrgID: team-a")
	if n := strings.Count(document.out, "X-Scope-OrgID:"); n != 4 || strings.Contains(document.out, "TENANT") || strings.Contains(document.out, "env.") {
		t.Errorf("%d tenants are named, want 4, and no variable:\n%s", n, document.out)
	}
	if !strings.Contains(document.err, "team-b") && !strings.Contains(document.err, "obs/loki") {
		t.Errorf("what became of the tenant that is not there is told nowhere:\n%s", document.err)
	}
	expect(t, mustRun(t, append([]string{"generate", "--key", "loki-toolset.yaml"}, named...)...).out, "tenant: team-a")
}

// Two Services in front of one Mimir are two instances once one is included, whoever reads what.
func TestTwoTenantsOfOneBackend(t *testing.T) {
	t.Attr("req", "DTS-DET-6 DTS-DET-14")
	const services = `
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: mimir-query-frontend, namespace: obs, labels: {app.kubernetes.io/name: mimir, app.kubernetes.io/component: query-frontend}}
  spec: {clusterIP: 127.0.88.34, ports: [{name: http-metrics, port: 8080, targetPort: 8080}], selector: {app.kubernetes.io/component: query-frontend}}
- apiVersion: v1
  kind: Service
  metadata: {name: mimir-team-b, namespace: obs, annotations: {kubernaut.io/toolset: "true", kubernaut.io/toolset-type: mimir, kubernaut.io/toolset-path: /prometheus}}
  spec: {clusterIP: 127.0.88.34, ports: [{name: http-metrics, port: 8080, targetPort: 8080}], selector: {app.kubernetes.io/component: query-frontend}}
`
	file := writeFile(t, "services.yaml", services)
	r := mustRun(t, "generate", "--key", "custom_toolset.yaml", "-f", file,
		"--set", "tenants={mimir: {obs/mimir-query-frontend: [team-a], obs/mimir-team-b: [team-b]}}")
	expect(t, r.out, "name: obs/mimir-query-frontend/team-a", "name: obs/mimir-team-b/team-b", "X-Scope-OrgID: team-a", "X-Scope-OrgID: team-b")
}

// The line that is advised for what looks like a Prometheus and wants a tenant is one that the configuration takes and that
// publishes it.
func TestTenantAdviceWorksForRelatives(t *testing.T) {
	t.Attr("req", "DTS-DET-14 DTS-CLI-4")
	mimir := standin.New(standin.Mimir, standin.Options{Tenant: "team-a"})
	closed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // nothing is answered without one
		if r.Header.Get("X-Scope-OrgID") != "team-a" {
			http.Error(w, "no org id", http.StatusUnauthorized)
			return
		}
		mimir.ServeHTTP(w, r)
	})
	for name, server := range map[string]struct {
		ip      string
		handler http.Handler
	}{"shows what it is": {"127.0.13.4", mimir}, "shows nothing": {"127.0.13.5", closed}} {
		t.Run(name, func(t *testing.T) {
			port := listen(t, server.ip, server.handler)
			services := yamlService("obs", "prom", "app.kubernetes.io/name: prometheus, app.kubernetes.io/component: server", server.ip, port)
			args := []string{"-f", writeFile(t, "services.yaml", services), "--probe=direct", "--set", "health.tries=1"}
			r := mustRun(t, append([]string{"explain", "obs/prom"}, args...)...)
			expect(t, r.out, "tenants: {mimir: {obs/prom: [TENANT]}}")
			forbid(t, r.out, "tenants: {prometheus")
			named := append(args, "--set", "tenants={mimir: {obs/prom: [team-a]}}")
			document := mustRun(t, append([]string{"generate", "--key", "custom_toolset.yaml"}, named...)...)
			expect(t, document.out, "name: obs/prom/team-a", "X-Scope-OrgID: team-a")
		})
	}
}
