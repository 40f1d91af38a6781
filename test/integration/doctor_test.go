//go:build integration

package integration

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// agentAccount is HolmesGPT's ServiceAccount.
const agentAccount = "prod-holmes-service-account"

// doctored is what doctor looks at.
type doctored struct {
	configMap   *corev1.ConfigMap
	deployments []*appsv1.Deployment
	secret      *corev1.Secret
	binding     *rbacv1.ClusterRoleBinding
}

// wellDoctored is a HolmesGPT, as its chart installs it with the values of the example, that has all it needs.
func wellDoctored(t *testing.T) *doctored {
	t.Helper()
	v := exampleValues(t, "values.yaml")
	v.AdditionalEnvVars = append(v.AdditionalEnvVars, secretVariable("GRAFANA_API_KEY", "api-key"))
	return &doctored{
		configMap: &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: testenv.OutputNamespace, Name: testenv.ConfigMapName},
			Data: map[string]string{document: `toolsets:
  grafana/dashboards: {enabled: true, config: {instances: [{name: obs/grafana, api_url: "http://grafana.obs.svc:80", api_key: "{{ env.GRAFANA_API_KEY }}"}]}}
`},
		},
		deployments: []*appsv1.Deployment{holmesDeployment(testenv.OutputNamespace, "prod-holmes", agentAccount, &v)},
		secret: &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: testenv.OutputNamespace, Name: "grafana-reader"},
			StringData: map[string]string{"api-key": secretValue, "other": "x"},
		},
	}
}

// another adds a HolmesGPT that has nothing of its own.
func (d *doctored) another() {
	v := holmesValues{
		AdditionalEnvVars: d.container().Env[1:], AdditionalVolumes: d.pod().Volumes[1:], AdditionalVolumeMounts: d.container().VolumeMounts[1:],
	}
	d.deployments = append(d.deployments, holmesDeployment(testenv.OutputNamespace, "test-holmes", "default", &v))
}

// secretVariable is one of which the value is in the Secret.
func secretVariable(name, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "grafana-reader"}, Key: key,
	}}}
}

const secretValue = "glsa_a-value-that-nobody-is-to-see"

func (d *doctored) pod() *corev1.PodSpec         { return &d.deployments[0].Spec.Template.Spec }
func (d *doctored) container() *corev1.Container { return &d.pod().Containers[0] }

func (d *doctored) unset(name string) {
	c := d.container()
	c.Env = slices.DeleteFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == name })
}

// secretAsAWhole has the variables of the Secret's keys.
func (d *doctored) secretAsAWhole(prefix string) {
	d.unset("GRAFANA_API_KEY")
	d.container().EnvFrom = []corev1.EnvFromSource{{Prefix: prefix, SecretRef: &corev1.SecretEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: "grafana-reader"},
	}}}
}

func (d *doctored) openShift() {
	d.configMap.Data[document] = `toolsets:
  prometheus/metrics: {enabled: true, config: {instances: [{name: openshift-monitoring/thanos-querier, prometheus_url: "https://thanos-querier.openshift-monitoring.svc:9091"}]}}
`
	d.container().Env = append(d.container().Env, corev1.EnvVar{Name: "IS_OPENSHIFT", Value: "True"}, corev1.EnvVar{Name: "CERTIFICATE", Value: "LS0t"})
	d.bind()
}

// bind gives HolmesGPT the right to read OpenShift's monitoring.
func (d *doctored) bind() {
	d.binding = &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "prod-holmes-cluster-monitoring"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: testenv.OutputNamespace, Name: agentAccount}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-monitoring-view"},
	}
}

// manifest has all of it as a List.
func (d *doctored) manifest(t *testing.T) string {
	t.Helper()
	var items []any
	add := func(apiVersion, kind string, object any) {
		data, err := json.Marshal(object)
		must(t, err)
		item := map[string]any{}
		must(t, json.Unmarshal(data, &item))
		item["apiVersion"], item["kind"] = apiVersion, kind
		items = append(items, item)
	}
	if d.configMap != nil {
		add("v1", "ConfigMap", d.configMap)
	}
	if d.secret != nil {
		add("v1", "Secret", d.secret)
	}
	if d.binding != nil {
		add("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", d.binding)
	}
	for _, o := range d.deployments {
		add("apps/v1", "Deployment", o)
	}
	data, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	must(t, err)
	return string(data)
}

// create makes all of it; the returned function deletes it.
func (d *doctored) create(t *testing.T, env *testenv.Env, how ...string) (remove func()) {
	t.Helper()
	for _, o := range d.deployments {
		env.Namespace(t, o.Namespace)
	}
	if len(how) == 0 {
		how = []string{"create"}
	}
	manifest := d.manifest(t)
	env.Kubectl(t, manifest, append(how, "-f", "-")...)
	return func() { env.Kubectl(t, manifest, "delete", "--ignore-not-found", "-f", "-") }
}

// diagnosis is what doctor -o json prints.
type diagnosis struct {
	Well   bool
	Checks []struct {
		Level, Code, About, Message string
		Advice                      []struct{ Text, Command string }
	}
}

// problems are the codes of what is not ok.
func (d *diagnosis) problems() (codes []string) {
	for _, c := range d.Checks {
		if c.Level != "ok" {
			codes = append(codes, c.Code)
		}
	}
	return codes
}

func (d *diagnosis) command(t *testing.T, code string) string {
	t.Helper()
	for _, c := range d.Checks {
		if c.Code == code && len(c.Advice) > 0 {
			return c.Advice[0].Command
		}
	}
	t.Fatalf("no advice for %s", code)
	return ""
}

// notAsked is for tests in which there is no HolmesGPT to ask.
const notAsked = "--set=holmesgpt.service=off"

func diagnose(t *testing.T, env *testenv.Env, kubeconfig string, args ...string) (*diagnosis, int) {
	t.Helper()
	r := env.Run(t, kubeconfig, append([]string{"doctor", "-o", "json"}, args...)...)
	d := &diagnosis{}
	if err := json.Unmarshal([]byte(r.Stdout), d); err != nil {
		t.Fatalf("exit %d: %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	if d.Well != (r.Code == 0) {
		t.Errorf("well is %t, exit %d", d.Well, r.Code)
	}
	if strings.Contains(r.Stdout+r.Stderr, secretValue) {
		t.Error("a Secret's value is shown")
	}
	return d, r.Code
}

func TestDoctor(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	env := testenv.Shared(t)
	t.Run("mistakes", func(t *testing.T) { doctorMistakes(t, env) })
	t.Run("lines to copy", func(t *testing.T) { doctorLines(t, env) })
	t.Run("several keys", func(t *testing.T) { doctorKeys(t, env) })
	t.Run("no value is read", func(t *testing.T) { doctorReadsNoSecret(t, env) })
	t.Run("values", func(t *testing.T) { doctorValues(t, env) })
	t.Run("rights", func(t *testing.T) { doctorRights(t, env) })
	t.Run("the agent itself", func(t *testing.T) { doctorAsks(t, env) })
}

// doctorAsks: what HolmesGPT says itself is among the checks.
func doctorAsks(t *testing.T, env *testenv.Env) {
	d := wellDoctored(t)
	d.configMap.Data[document] += "  generation/00000001: {enabled: false, description: x, tools: []}\n"
	defer d.create(t, env)()
	grafana := `{"name": "grafana/dashboards", "status": "enabled", "tool_count": 3}`
	marker := `{"name": "generation/00000001", "status": "disabled"}`
	var status, reloads int
	answer := ""
	holmes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			reloads++
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"version": "0.45.0", "toolsets": [%s]}`, answer)
	}))
	defer holmes.Close()
	finds := func(what string, well bool, want []string, args ...string) {
		t.Helper()
		got, code := diagnose(t, env, env.Kubeconfig(), args...)
		if problems := got.problems(); !slices.Equal(problems, want) || (code == 0) != well {
			t.Errorf("%s: %v, want %v; exit %d\n%+v", what, problems, want, code, got)
		}
	}
	asking := []string{"--set", "holmesgpt.url=" + holmes.URL}
	for _, tt := range []struct {
		name     string
		status   int
		toolsets string
		want     []string
		well     bool
	}{
		{"it has the document", http.StatusOK, grafana + "," + marker, nil, true},
		{"it has an older one", http.StatusOK, grafana + `,{"name": "generation/00000000", "status": "disabled"}`, []string{"agent-waiting"}, true},
		{"it has none", http.StatusOK, grafana, []string{"agent-no-document"}, false},
		{"a toolset fails", http.StatusOK, `{"name": "grafana/dashboards", "status": "failed", "error": "ENV var replacement X does not exist"},` + marker,
			[]string{"agent-toolset-failed"}, false},
		{"it wants a key", http.StatusUnauthorized, "", []string{"agent-wants-key"}, true},
		{"it is old", http.StatusNotFound, "", []string{"agent-too-old"}, true},
	} {
		status, answer = tt.status, tt.toolsets
		finds(tt.name, tt.well, tt.want, asking...)
	}
	finds("there is none", true, []string{"agent-not-found"})

	t.Log("a document without the marker")
	status, answer = http.StatusOK, `{"name": "grafana/dashboards", "status": "failed", "error": "401 Unauthorized"}`
	must(t, edit(env, "admin").patch(t.Context(), object{"data": wellDoctored(t).configMap.Data}))
	finds("no marker", false, []string{"agent-unmarked", "agent-toolset-failed"}, asking...)
	finds("no marker, and there is none", true, []string{"agent-not-found"})
	if reloads > 0 {
		t.Errorf("HolmesGPT was told to reload %d times", reloads)
	}
}

// doctorMistakes makes those of the usual mistakes that are read from different objects, one at a time. All are in TestExamine of
// internal/doctor.
func doctorMistakes(t *testing.T, env *testenv.Env) {
	for _, tt := range []struct {
		name   string
		change func(*doctored)
		want   []string // codes of what is not ok
		seen   bool     // all that is not ok is what the user may not see, so that there is nothing to do
	}{
		{name: "all is well", change: func(*doctored) {}},
		{name: "no ConfigMap", change: func(d *doctored) { d.configMap = nil }, want: []string{"configmap-missing"}},
		{name: "an empty ConfigMap", change: func(d *doctored) { d.configMap.Data = nil }, want: []string{"nothing-published"}},
		{name: "no agent", change: func(d *doctored) { d.deployments = nil }, want: []string{"no-agent"}},
		{name: "another namespace", change: func(d *doctored) { d.deployments[0].Namespace = "ai" }, want: []string{"other-namespace"}},
		{name: "its Secret is missing", change: func(d *doctored) { d.secret = nil }, want: []string{"object-missing"}},
		{name: "its key is missing", change: func(d *doctored) { delete(d.secret.StringData, "api-key") }, want: []string{"key-missing"}},
		{name: "from a Secret as a whole", change: func(d *doctored) {
			d.secretAsAWhole("GRAFANA_")
			d.secret.StringData = map[string]string{"API_KEY": secretValue}
		}},
		{name: "from a Secret as a whole that is missing", change: func(d *doctored) { d.secretAsAWhole(""); d.secret = nil },
			want: []string{"object-missing"}},
		{name: "from a Secret as a whole that lacks it", change: func(d *doctored) { d.secretAsAWhole("") }, want: []string{"variable-missing"}},
		{name: "no certificate authority", change: func(d *doctored) {
			d.configMap.Data[document] = strings.ReplaceAll(d.configMap.Data[document], "http:", "https:")
		}, want: []string{"authority-missing"}},
		{name: "OpenShift", change: func(d *doctored) { d.openShift() }},
		{name: "OpenShift without the binding", change: func(d *doctored) { d.openShift(); d.binding = nil }, want: []string{"binding-missing"}},
		{name: "two agents", change: func(d *doctored) { d.another() }},
		{name: "a sidecar writes it", seen: true, want: []string{"sidecar-document"}, change: func(d *doctored) {
			d.configMap = nil
			d.pod().Volumes[1].VolumeSource = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
			d.pod().InitContainers = []corev1.Container{{
				Name: "dynamic-toolset", Image: "kubernaut/dynamic-toolset:latest", RestartPolicy: new(corev1.ContainerRestartPolicyAlways),
				Args:         []string{"serve", "--out=/toolsets"},
				VolumeMounts: []corev1.VolumeMount{{Name: "dynamic-toolsets", MountPath: "/toolsets"}},
			}}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := wellDoctored(t)
			tt.change(d)
			defer d.create(t, env)()
			got, code := diagnose(t, env, env.Kubeconfig(), notAsked)
			if problems := got.problems(); !slices.Equal(problems, tt.want) {
				t.Errorf("not ok: %v, want %v\n%+v", problems, tt.want, got)
			}
			if well := len(tt.want) == 0 || tt.seen; (code == 0) != well || code > 1 {
				t.Errorf("exit %d", code)
			}
			for _, c := range got.Checks {
				if c.Message == "" || strings.ContainsAny(c.Message, "<>") || (c.Level != "ok") != (len(c.Advice) > 0) {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

func kubectl(t *testing.T) string { return filepath.Join(testenv.Assets(t), "kubectl") }

// doctorReadsNoSecret: the API server sends doctor no value of a Secret.
func doctorReadsNoSecret(t *testing.T, env *testenv.Env) {
	defer wellDoctored(t).create(t, env)()
	var mu sync.Mutex
	var accepted []string
	front := env.Front(t)
	front.Inject(func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(r.URL.Path, "/secrets") {
			accepted = append(accepted, r.Header.Get("Accept"))
		}
		return false
	})
	env.ServiceAccount(t, "default", "admin")
	all := rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"get", "list"}}
	env.Grant(t, "", "default", "admin", all)
	user := env.TokenKubeconfig(t, front.URL, front.CA, env.Token(t, "default", "admin"))
	if got, code := diagnose(t, env, user); code != 0 {
		t.Errorf("exit %d: %+v", code, got)
	}
	if len(accepted) != 1 {
		t.Fatalf("%d requests for Secrets", len(accepted))
	}
	answer, err := env.Client.CoreV1().RESTClient().Get().Namespace(testenv.OutputNamespace).Resource("secrets").Name("grafana-reader").
		SetHeader("Accept", accepted[0]).Do(t.Context()).Raw()
	must(t, err)
	for _, value := range []string{secretValue, base64.StdEncoding.EncodeToString([]byte(secretValue))} {
		if strings.Contains(string(answer), value) {
			t.Errorf("as %s the API server sends values", accepted[0])
		}
	}
	if !strings.Contains(string(answer), "api-key") {
		t.Errorf("no keys in %s", answer)
	}
}

// doctorRights: what the user may not see is said, and is nothing to do.
func doctorRights(t *testing.T, env *testenv.Env) {
	defer wellDoctored(t).create(t, env)()
	user := env.ServiceAccount(t, "default", "reader")
	if r := env.Run(t, user, "doctor"); r.Code != 1 || r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 ||
		!strings.Contains(r.Stderr, `not allowed to list deployments in namespace "kubernaut-system" (403)`) {
		t.Errorf("no rights: exit %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	ns := testenv.OutputNamespace
	env.Grant(t, ns, "default", "reader", testenv.Rule("apps", "deployments", "list"))
	text := func(want ...string) {
		t.Helper()
		r := env.Run(t, user, "doctor")
		if wrong := amiss(strings.Join(strings.Fields(r.Stdout), " "), want...); len(wrong) > 0 {
			t.Errorf("no %q in\n%s", wrong, r.Stdout)
		}
		if r.Code != 0 {
			t.Errorf("exit %d\n%s", r.Code, r.Stdout)
		}
	}
	text("ok it mounts the ConfigMap as directory /etc/holmes/dynamic",
		"not seen could not see what is published: your user needs get configmaps in namespace "+ns,
		"not seen could not see all of HolmesGPT's workloads: your user needs list deployments in all namespaces",
		"kubectl auth can-i list deployments.apps -A", "needs list pods in namespace "+ns, "needs list daemonsets in namespace "+ns)
	env.Grant(t, ns, "default", "reader", testenv.Rule("", "configmaps", "get"))
	text("ok its document has 1 toolset",
		"not seen could not see Secret "+ns+"/grafana-reader, from which GRAFANA_API_KEY comes: your user needs get secrets in namespace "+ns,
		"kubectl auth can-i get secrets -n "+ns)
	env.Grant(t, "", "default", "reader", testenv.Rule("apps", "deployments", "list"), testenv.Rule("apps", "statefulsets", "list"),
		testenv.Rule("apps", "daemonsets", "list"), testenv.Rule("", "pods", "list"))
	if got, code := diagnose(t, env, user, notAsked); code != 0 || !slices.Equal(got.problems(), []string{"object-unseen"}) {
		t.Errorf("exit %d: %+v", code, got)
	}
}
