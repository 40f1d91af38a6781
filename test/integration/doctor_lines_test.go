//go:build integration

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// doctorLines does what doctor says about a Secret, with its own lines, until nothing is left.
func doctorLines(t *testing.T, env *testenv.Env) {
	d := wellDoctored(t)
	delete(d.secret.StringData, "api-key")
	defer d.create(t, env, "apply", "--server-side")() // which has its fields noted as they were given
	follow := func(code string) {
		t.Helper()
		got, _ := diagnose(t, env, env.Kubeconfig(), notAsked)
		runCommand(t, env, got.command(t, code), secretValue)
	}
	follow("key-missing")
	if got, code := diagnose(t, env, env.Kubeconfig(), notAsked); code != 0 {
		t.Errorf("the key was added: %+v", got)
	}
	secrets := env.Client.CoreV1().Secrets(testenv.OutputNamespace)
	if s, err := secrets.Get(t.Context(), "grafana-reader", metav1.GetOptions{}); err != nil || string(s.Data["api-key"]) != secretValue || string(s.Data["other"]) != "x" {
		t.Errorf("the Secret is %v, %v", s, err)
	}
	must(t, secrets.Delete(t.Context(), "grafana-reader", metav1.DeleteOptions{}))
	follow("object-missing")
	if got, code := diagnose(t, env, env.Kubeconfig(), notAsked); code != 0 {
		t.Errorf("the Secret was made: %+v", got)
	}

	t.Log("a Secret of whose keys the API server has no note")
	env.Kubectl(t, "", "-n", testenv.OutputNamespace, "patch", "secret", "grafana-reader", "--type=json",
		"-p", `[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]`)
	if got, code := diagnose(t, env, env.Kubeconfig(), notAsked); code != 0 || !slices.Equal(got.problems(), []string{"key-unlisted"}) {
		t.Errorf("exit %d: %+v", code, got)
	}
}

// runCommand runs what doctor printed, and types a value where it asks for one.
func runCommand(t *testing.T, env *testenv.Env, command, typed string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", command) //nolint:gosec // what doctor printed
	cmd.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig(), "PATH="+filepath.Dir(kubectl(t))+":"+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader(typed + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// doctorKeys: where several keys of one Secret are missing, the lines for one leave the others' alone.
func doctorKeys(t *testing.T, env *testenv.Env) {
	d := wellDoctored(t)
	d.secret = nil
	d.configMap.Data[document] = strings.Replace(d.configMap.Data[document], "api_key: ", `password: "{{ env.GRAFANA_PASSWORD }}", api_key: `, 1)
	d.container().Env = append(d.container().Env, secretVariable("GRAFANA_PASSWORD", "password"))
	defer d.create(t, env)()
	secrets := env.Client.CoreV1().Secrets(testenv.OutputNamespace)
	for _, code := range []string{"object-missing", "key-missing"} {
		got, _ := diagnose(t, env, env.Kubeconfig(), notAsked)
		if problems := got.problems(); !slices.Equal(problems, []string{code, code}) {
			t.Fatalf("%v, want %s twice", problems, code)
		}
		for i := range got.Checks {
			if c := &got.Checks[i]; c.Code == code {
				runCommand(t, env, c.Advice[0].Command, secretValue)
			}
		}
		if got, code := diagnose(t, env, env.Kubeconfig(), notAsked); code != 0 {
			t.Errorf("both keys were added: %+v", got)
		}
		must(t, secrets.Delete(t.Context(), "grafana-reader", metav1.DeleteOptions{}))
		env.Kubectl(t, "", "-n", testenv.OutputNamespace, "create", "secret", "generic", "grafana-reader", "--from-literal=other=x")
	}
	must(t, secrets.Delete(t.Context(), "grafana-reader", metav1.DeleteOptions{}))
}
