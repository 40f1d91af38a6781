package cli

import (
	"strings"
	"testing"
)

// What OpenShift's monitoring is known to want is said where nobody asks it: a token, and trust in the service CA.
func TestKnownWantsAreTold(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-CLI-4")
	const file = "testdata/openshift.yaml"
	const token, ca = "the token of a ServiceAccount that has the ClusterRole cluster-monitoring-view", "trust in OpenShift's service CA"
	r := mustRun(t, "generate", "-f", file, "--key", "custom_toolset.yaml")
	const all = "openshift-monitoring/prometheus-k8s, openshift-monitoring/thanos-querier, openshift-monitoring/alertmanager-main: not probed; HolmesGPT fails the toolset without "
	for _, want := range []string{all + token, all + ca, "credentials: {alertmanager: {openshift-monitoring/alertmanager-main: {token: ALERTMANAGER_BEARER_TOKEN_OPENSHIFT__MONITORING_ALERTMANAGER__MAIN}}}"} {
		if strings.Count(r.err, want) != 1 {
			t.Errorf("%q is not on stderr once:\n%s", want, r.err)
		}
	}
	forbid(t, r.err, "{prometheus:") // HolmesGPT sends it its own token
	for _, name := range []string{"prometheus-k8s", "thanos-querier", "alertmanager-main"} {
		r := mustRun(t, "explain", "-f", file, "openshift-monitoring/"+name)
		sentence, advice, _ := strings.Cut(flat(r.out), "What you can do")
		expect(t, sentence, token, ca)
		expect(t, advice, token, ca)
		if own := strings.Contains(sentence, "HolmesGPT sends it the token of its own ServiceAccount"); own != (name != "alertmanager-main") {
			t.Errorf("%s: its own token: %t", name, own)
		}
	}
	r = mustRun(t, "generate", "-f", file, "--set", "credentials.alertmanager.openshift-monitoring/alertmanager-main.token=ALERTS")
	forbid(t, r.err, "alertmanager-main: not probed; HolmesGPT fails the toolset without the token")
	expect(t, r.err, ca)
	forbid(t, mustRun(t, "generate", "-f", clusterFile).err, "fails the toolset without")
}

// A gateway with tenants wants a token on each path, which is said once for all of its tenants.
func TestKnownWantsOfTenantsAreToldOnce(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-DET-14")
	file := writeFile(t, "lokistack.yaml", `apiVersion: v1
kind: Service
metadata:
  namespace: openshift-logging
  name: logging-loki-gateway-http
  labels: {app.kubernetes.io/name: lokistack, app.kubernetes.io/component: lokistack-gateway}
  annotations: {service.beta.openshift.io/serving-cert-secret-name: logging-loki-gateway-http}
spec: {clusterIP: 10.0.0.1, ports: [{name: public, port: 8080}]}
`)
	r := mustRun(t, "generate", "-f", file)
	const ref = "openshift-logging/logging-loki-gateway-http"
	for _, want := range []string{
		ref + ": not probed; HolmesGPT fails the toolset without a token that the gateway accepts", ref + ": not probed; HolmesGPT fails the toolset without trust in OpenShift's service CA",
		"loki " + ref + " is written without credentials", "credentials: {loki: {" + ref + ": {api_key: ",
	} {
		if strings.Count(r.err, want) != 1 || strings.Contains(r.err, ref+", "+ref) {
			t.Errorf("%q is not on stderr once:\n%s", want, r.err)
		}
	}
}
