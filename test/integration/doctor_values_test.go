//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// valuesServices want a password that a chart keeps, a key that people make, and HolmesGPT's token.
const valuesServices = `
{apiVersion: v1, kind: Service, metadata: {name: kps-grafana, namespace: monitoring, labels: {app.kubernetes.io/name: grafana, helm.sh/chart: grafana-10.1.2}},
 spec: {clusterIP: 10.0.0.8, selector: {app.kubernetes.io/name: grafana}, ports: [{name: http-web, port: 80, targetPort: grafana}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: grafana, namespace: team, labels: {app.kubernetes.io/name: grafana}},
 spec: {clusterIP: 10.0.0.9, selector: {app.kubernetes.io/name: grafana}, ports: [{name: http, port: 3000}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: thanos-querier, namespace: openshift-monitoring, annotations: {service.beta.openshift.io/serving-cert-secret-name: x},
  labels: {app.kubernetes.io/component: query-layer, app.kubernetes.io/instance: thanos-querier, app.kubernetes.io/managed-by: cluster-monitoring-operator, app.kubernetes.io/name: thanos-query, app.kubernetes.io/part-of: openshift-monitoring}},
 spec: {clusterIP: 10.0.0.10, selector: {app.kubernetes.io/name: thanos-query}, ports: [{name: web, port: 9091, targetPort: web}]}}
`

// doctorValues: what generate --values prints, with the commands in its comments, is all that doctor asks for.
func doctorValues(t *testing.T, env *testenv.Env) {
	t.Attr("req", "DTS-CLI-8")
	file, ca := filepath.Join(t.TempDir(), "services.yaml"), filepath.Join(t.TempDir(), "ca.crt")
	must(t, os.WriteFile(file, []byte(valuesServices), 0o600))
	must(t, os.WriteFile(ca, env.Config.CAData, 0o600))
	generate := func(args ...string) string {
		t.Helper()
		r := env.Run(t, env.Kubeconfig(), append([]string{"generate", "-f", file, "--set", "tls.caFile=" + ca, "--set", "credentials.grafana=" +
			"{monitoring/kps-grafana: {username: KPS_USER, password: KPS_PASSWORD}, team/grafana: {api_key: TEAM_KEY}}"}, args...)...)
		if r.Code != 0 {
			t.Fatal(r.Stderr)
		}
		return r.Stdout
	}
	d := wellDoctored(t)
	d.secret = nil
	must(t, yaml.Unmarshal([]byte(generate()), d.configMap))
	text := generate("--values")
	var values holmesValues
	must(t, yaml.UnmarshalStrict([]byte(text), &values))
	d.deployments[0] = holmesDeployment(testenv.OutputNamespace, "prod-holmes", agentAccount, &values)
	if values.OpenShift {
		d.bind()
	}
	defer d.create(t, env)()
	if got, code := diagnose(t, env, env.Kubeconfig(), notAsked); code != 1 || strings.Join(got.problems(), " ") != "object-missing object-missing object-missing" {
		t.Errorf("without the Secrets: exit %d, %v\n%s", code, got.problems(), text)
	}
	env.Namespace(t, "monitoring")
	env.Kubectl(t, "", "-n", "monitoring", "create", "secret", "generic", "kps-grafana", "--from-literal=admin-user=admin", "--from-literal=admin-password="+secretValue)
	runCommand(t, env, commandsOf(text), "api_key="+secretValue)
	if got, code := diagnose(t, env, env.Kubeconfig(), notAsked); code != 0 || len(got.problems()) > 0 {
		t.Errorf("with the Secrets: exit %d, %+v\n%s", code, got, text)
	}
}

// commandsOf are those in the comments.
func commandsOf(values string) string {
	var b strings.Builder
	for line := range strings.Lines(values) {
		if command, is := strings.CutPrefix(line, "  #   "); is {
			b.WriteString(command)
		}
	}
	return b.String()
}
