package cli

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// rbacProxy stands before a backend as OpenShift's kube-rbac-proxy does: 401 without a token, and open paths (--ignore-paths) for
// kubelet.
type rbacProxy struct {
	http.Handler
	tokens atomic.Int64 // requests that carried one
}

func (p *rbacProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		p.tokens.Add(1)
	}
	if r.URL.Path == "/-/healthy" || r.URL.Path == "/-/ready" {
		p.Handler.ServeHTTP(w, r)
		return
	}
	http.Error(w, "Unauthorized", http.StatusUnauthorized)
}

// OpenShift's monitoring as it is: proven by its 401 behind the certificate of its own authority, written for HolmesGPT's own
// token, which no other gets, while Alertmanager and LokiStack's tenants want a variable each and say where it comes from.
func TestOpenShift(t *testing.T) {
	t.Attr("req", "DTS-OUT-14 DTS-DET-14 DTS-CLI-8")
	proxy := &rbacProxy{Handler: standin.New(standin.Prometheus, standin.Options{})}
	start := func(ip, port, name string) *standin.Server {
		s, err := standin.StartTLS(net.JoinHostPort(ip, port), proxy, name+".svc", name+".svc.cluster.local")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	querier := start("127.0.33.1", "9091", "thanos-querier.openshift-monitoring")
	alerts := start("127.0.33.2", "9094", "alertmanager-main.openshift-monitoring")
	logs := start("127.0.33.3", "8080", "logging-loki-gateway-http.openshift-logging")
	port := listen(t, "127.0.33.4", standin.New(standin.Prometheus, standin.Options{}))
	service := func(namespace, name, ip, ports string, labels ...string) string {
		return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {namespace: %s, name: %s, labels: {%s}, annotations: {service.beta.openshift.io/serving-cert-secret-name: %s-tls}}
spec: {clusterIP: %s, selector: {app: %s}, ports: [%s]}
---
`, namespace, name, strings.Join(labels, ", "), name, ip, name, ports)
	}
	const monitoring = "app.kubernetes.io/managed-by: cluster-monitoring-operator, app.kubernetes.io/part-of: openshift-monitoring"
	file := writeFile(t, "services.yaml",
		service("openshift-monitoring", "thanos-querier", "127.0.33.1", "{name: web, port: 9091, targetPort: web}, {name: tenancy, port: 9092, "+
			"targetPort: tenancy}, {name: tenancy-rules, port: 9093, targetPort: tenancy-rules}, {name: metrics, port: 9094, targetPort: metrics}",
			monitoring, "app.kubernetes.io/name: thanos-query, app.kubernetes.io/component: query-layer")+
			service("openshift-monitoring", "alertmanager-main", "127.0.33.2", "{name: web, port: 9094, targetPort: web}, {name: tenancy, port: 9092, "+
				"targetPort: tenancy}", monitoring, "app.kubernetes.io/name: alertmanager, app.kubernetes.io/component: alert-router")+
			service("openshift-logging", "logging-loki-gateway-http", "127.0.33.3", "{name: public, port: 8080, targetPort: public}",
				"app.kubernetes.io/name: lokistack, app.kubernetes.io/component: lokistack-gateway, app.kubernetes.io/instance: logging-loki")+
			strings.TrimPrefix(yamlService("team", "prometheus", strongPrometheus, "127.0.33.4", port), "---\n"))
	authorities := writeFile(t, "service-ca.crt", string(querier.CA)+string(alerts.CA)+string(logs.CA))
	args := []string{"-f", file, "--probe=direct", "--set", "health.tries=1", "--set", "security.trustedNamespaces=[]"}
	trusting := append([]string{"--set", "tls.caFile=" + authorities}, args...)

	expect(t, mustRun(t, append([]string{"explain", "openshift-monitoring/thanos-querier"}, args...)...).out, "unavailable", "untrusted-tls")

	r := mustRun(t, append([]string{"generate", "--key", "custom_toolset.yaml"}, trusting...)...)
	_, own, _ := strings.Cut(r.out, "openshift-monitoring/thanos-querier\n")
	own, _, _ = strings.Cut(own, "- name:")
	if !strings.Contains(own, "https://thanos-querier.openshift-monitoring.svc") || strings.Contains(own, "Authorization") {
		t.Errorf("thanos-querier is to be written for HolmesGPT's own token:\n%s\n%s", r.out, r.err)
	}
	if before, _, _ := strings.Cut(r.out, "name: team/prometheus"); !strings.HasSuffix(strings.TrimSpace(before), "Authorization: Basic Og==") {
		t.Errorf("HolmesGPT's token goes to a stranger's Prometheus:\n%s", r.out)
	}
	for name, wants := range map[string][]string{
		"openshift-monitoring/thanos-querier": {"accepted", "openshift: true", "cluster-monitoring-view"},
		"openshift-monitoring/alertmanager-main": {"unavailable", "--role=monitoring-alertmanager-view", "ALERTMANAGER_BEARER_TOKEN",
			"secretKeyRef: {name: dynamic-toolset.alertmanager.openshift-monitoring.alertmanager-main, key: token}"},
		"openshift-logging/logging-loki-gateway-http": {"unavailable", "/api/logs/v1/application", "/api/logs/v1/infrastructure", "/api/logs/v1/audit",
			"--clusterrole=cluster-logging-application-view", "LOKI_API_KEY"},
		"team/prometheus": {"accepted", "HolmesGPT does not send it there"},
	} {
		expect(t, mustRun(t, append([]string{"explain", name}, trusting...)...).out, wants...)
	}
	if n := proxy.tokens.Load(); n > 0 {
		t.Errorf("%d requests carried a credential: this service has none", n)
	}
}
