package cli

import (
	"fmt"
	"strings"
	"testing"
)

// What the catalog knows as brought along by a product for itself alone is not the primary beside another, however old it is.
func TestBundledIsNotThePrimary(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	const general = `---
apiVersion: v1
kind: Service
metadata: {name: stack, namespace: monitoring, creationTimestamp: "2024-02-01T00:00:00Z", labels: {app: kube-prometheus-stack-prometheus, release: stack}}
spec: {clusterIP: 10.0.0.2, selector: {operator.prometheus.io/name: stack, app.kubernetes.io/name: prometheus}, ports: [{name: http-web, port: 9090}]}
`
	for name, labels := range map[string]string{
		"Kubecost": "app: prometheus, component: server, chart: prometheus-11.0.2, release: kubecost, heritage: Helm",
		"Linkerd":  "linkerd.io/extension: viz, app.kubernetes.io/name: prometheus, app.kubernetes.io/component: server",
		"Coroot":   "app.kubernetes.io/managed-by: coroot-operator, app.kubernetes.io/part-of: prod, app.kubernetes.io/component: prometheus",
		"neither":  "app.kubernetes.io/name: prometheus, app.kubernetes.io/component: server",
	} {
		t.Run(name, func(t *testing.T) {
			older := fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: old, namespace: apart, creationTimestamp: "2023-02-01T00:00:00Z", labels: {%s}}
spec: {clusterIP: 10.0.0.1, selector: {app: old}, ports: [{name: http, port: 9090}]}
`, labels)
			r := mustRun(t, "discover", "-f", writeFile(t, "services.yaml", older+general))
			primary := map[bool]string{true: "apart old", false: "monitoring stack"}[name == "neither"]
			for line := range strings.Lines(r.out) {
				fields := strings.Fields(line)
				if service := strings.Join(fields[:2], " "); (fields[3] == "yes") != (service == primary) {
					t.Errorf("%s: primary %s\n%s", service, fields[3], r.out)
				}
			}
			if !strings.Contains(r.out, primary[:5]) || strings.Count(r.out, "\n") != 3 {
				t.Errorf("two are expected:\n%s", r.out)
			}
		})
	}
}
