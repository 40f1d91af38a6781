//go:build integration

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// agentValues are the values of HolmesGPT's chart that generate --values prints.
type agentValues struct {
	AdditionalEnvVars      []corev1.EnvVar      `json:"additionalEnvVars"`
	AdditionalVolumes      []corev1.Volume      `json:"additionalVolumes"`
	AdditionalVolumeMounts []corev1.VolumeMount `json:"additionalVolumeMounts"`
	Certificate            string               `json:"certificate"`
	OpenShift              bool                 `json:"openshift"`
}

// install makes of a bare HolmesGPT what its chart makes of the values (helm/holmes/templates of HolmesGPT/holmesgpt).
func (v *agentValues) install(d *doctored) {
	c := d.container()
	c.Env = append(c.Env[:1], v.AdditionalEnvVars...)
	c.VolumeMounts = append(c.VolumeMounts[:1], v.AdditionalVolumeMounts...)
	d.pod().Volumes = append(d.pod().Volumes[:1], v.AdditionalVolumes...)
	if v.Certificate != "" {
		c.Env = append(c.Env, corev1.EnvVar{Name: "CERTIFICATE", Value: v.Certificate})
	}
	if v.OpenShift {
		c.Env = append(c.Env, corev1.EnvVar{Name: "IS_OPENSHIFT", Value: "True"})
		d.binding = &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "prod-holmes-cluster-monitoring"},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: testenv.OutputNamespace, Name: agentAccount}},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-monitoring-view"},
		}
	}
}

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
	d := wellDoctored()
	d.secret = nil
	must(t, yaml.Unmarshal([]byte(generate()), d.configMap))
	text := generate("--values")
	var values agentValues
	must(t, yaml.UnmarshalStrict([]byte(text), &values))
	values.install(d)
	defer d.create(t, env)()
	if got, code := diagnose(t, env, env.Kubeconfig(), notAsked); code != 1 || strings.Join(got.problems(), " ") != "object-missing object-missing object-missing" {
		t.Errorf("without the Secrets: exit %d, %v\n%s", code, got.problems(), text)
	}
	env.Namespace(t, "monitoring")
	env.Kubectl(t, "", "-n", "monitoring", "create", "secret", "generic", "kps-grafana", "--from-literal=admin-user=admin", "--from-literal=admin-password="+secretValue)
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", commandsOf(text)) //nolint:gosec // what generate printed
	cmd.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig(), "PATH="+filepath.Dir(kubectl(t))+":"+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader("api_key=" + secretValue + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
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
