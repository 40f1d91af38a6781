//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// These are what the examples of the sidecar are for.
const (
	holmesNamespace = "holmes"
	holmesAccount   = "holmes-holmes-service-account"
)

// TestSidecarExamples has the API server take the examples: values and patch make the same pod, Pod Security lets it run, and
// the rights are those of the values.
func TestSidecarExamples(t *testing.T) {
	t.Attr("req", "DTS-RUN-6 DTS-SEC-2")
	env := testenv.Shared(t)
	restricted(t, env, holmesNamespace)
	env.ServiceAccount(t, holmesNamespace, holmesAccount)
	values := exampleValues(t, "values-sidecar.yaml")
	deployments := env.Client.AppsV1().Deployments(holmesNamespace)
	strict := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
	byValues, err := deployments.Create(t.Context(), holmesDeployment(holmesNamespace, "by-values", holmesAccount, &values), strict)
	must(t, err)
	mounted := exampleValues(t, "values.yaml") // HolmesGPT as it mounts the ConfigMap
	unordered := cmp.Options{                  // a merge puts what is new first
		sortedBy(func(v corev1.EnvVar) string { return v.Name }), sortedBy(func(v corev1.Volume) string { return v.Name }),
		sortedBy(func(v corev1.VolumeMount) string { return v.MountPath }),
	}
	var byPatch *appsv1.Deployment
	for name, before := range map[string]*holmesValues{"holmes-holmes": {}, "mounted": &mounted} {
		_, err = deployments.Create(t.Context(), holmesDeployment(holmesNamespace, name, holmesAccount, before), strict)
		must(t, err)
		env.Kubectl(t, "", "-n", holmesNamespace, "patch", "deployment", name, "--patch-file", example(t, "sidecar-patch.yaml"))
		byPatch, err = deployments.Get(t.Context(), name, metav1.GetOptions{})
		must(t, err)
		if d := cmp.Diff(byValues.Spec.Template.Spec, byPatch.Spec.Template.Spec, unordered); d != "" {
			t.Errorf("the pod of %s (-values +patch):\n%s", name, d)
		}
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "holmes"}, Spec: byPatch.Spec.Template.Spec}
	if _, err := env.Client.CoreV1().Pods(holmesNamespace).Create(t.Context(), pod, strict); err != nil {
		t.Errorf("the pod is refused: %v", err)
	}

	env.Kubectl(t, "", "apply", "--validate=strict", "-f", example(t, "sidecar-rbac.yaml"))
	role, err := env.Client.RbacV1().ClusterRoles().Get(t.Context(), "dynamic-toolset-sidecar", metav1.GetOptions{})
	must(t, err)
	if d := cmp.Diff(values.CustomClusterRoleRules, role.Rules); d != "" {
		t.Errorf("the rights (-values +sidecar-rbac.yaml):\n%s", d)
	}
}

func sortedBy[T any](key func(T) string) cmp.Option {
	return cmp.Transformer("byKey", func(list []T) map[string]T {
		m := map[string]T{}
		for _, v := range list {
			m[key(v)] = v
		}
		return m
	})
}

// sidecar is the service as the example runs it: with its arguments and its rights, but for where the volumes and HolmesGPT are.
type sidecar struct {
	*instance
	env            *testenv.Env
	dir, overrides string
	holmes         *httptest.Server
	reloads        atomic.Int32
}

// newSidecar runs one with the rights of rules.
func newSidecar(t *testing.T, env *testenv.Env, account string, rules []rbacv1.PolicyRule, more ...string) *sidecar {
	t.Helper()
	env.Namespace(t, holmesNamespace)
	kubeconfig := env.ServiceAccount(t, holmesNamespace, account)
	env.Grant(t, "", holmesNamespace, account, rules...)
	s := &sidecar{env: env, dir: filepath.Join(t.TempDir(), "shared"), overrides: filepath.Join(t.TempDir(), "overrides.yaml")}
	s.serveHolmes(t)
	key := filepath.Join(t.TempDir(), "apiKey")
	must(t, os.WriteFile(key, []byte("the-key"), 0o600))
	var args []string
	for _, arg := range exampleValues(t, "values-sidecar.yaml").InitContainers[0].Args {
		args = append(args, strings.NewReplacer("/etc/holmes/dynamic", s.dir, "/etc/dynamic-toolset/overrides/overrides.yaml", s.overrides,
			"http://127.0.0.1:5050", s.holmes.URL, "/etc/dynamic-toolset/holmes-api-key/apiKey", key).Replace(arg))
	}
	args = append(append(args, quick...), "--set", "server.tls.mode=off")
	s.instance = running(t, env.Process(t, kubeconfig, nil, append(args, more...)...))
	return s
}

// serveHolmes answers as HolmesGPT does, to who has its key.
func (s *sidecar) serveHolmes(t *testing.T) {
	holmes := standin.NewHolmes(filepath.Join(s.dir, document))
	s.holmes = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != "the-key" {
			http.Error(w, `{"detail": "no key"}`, http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPost {
			s.reloads.Add(1)
		}
		holmes.ServeHTTP(w, r)
	}))
	t.Cleanup(s.holmes.Close)
}

// holds waits until the document has all of want and none of the texts behind a "-".
func (s *sidecar) holds(t *testing.T, what string, want ...string) {
	t.Helper()
	testenv.Eventually(t, 45*time.Second, what, func() error {
		text, err := os.ReadFile(filepath.Join(s.dir, document))
		if err != nil {
			return err
		}
		if wrong := amiss(string(text), want...); len(wrong) > 0 {
			return fmt.Errorf("not as wanted: %q in the document:\n%s", wrong, text)
		}
		return nil
	})
}

// TestSidecar has the sidecar do all that it does with the rights of the example, of which none is refused and none is too
// many, and write nothing into the cluster.
func TestSidecar(t *testing.T) {
	t.Attr("req", "DTS-RUN-6 DTS-RUN-7 DTS-SEC-1")
	// Older API servers have no streaming lists, and then list is needed where watch alone would do.
	env := testenv.Start(t, testenv.APIServerFlag("feature-gates", "WatchList=false"))
	env.Create(t, prometheusIn(team, "prometheus"))
	env.Create(t, testenv.Service{Namespace: team, Name: "checkout", Port: "http", Number: 8080})
	rules := exampleValues(t, "values-sidecar.yaml").CustomClusterRoleRules

	t.Run("enough", func(t *testing.T) {
		s := newSidecar(t, env, "enough", rules)
		s.holds(t, "what is there at the start", "name: team/prometheus")
		s.answers(t, 20*time.Second, "/readyz", http.StatusOK)
		agentSays(t, s.instance, `"outcome":"loaded"`)
		before := s.reloads.Load()
		env.Create(t, testenv.Service{Namespace: "new", Name: "loki", Labels: named("loki"), Port: "http-metrics", Number: 3100, Kind: standin.Loki})
		s.holds(t, "a Service appears", "name: new/loki")
		testenv.Eventually(t, 20*time.Second, "HolmesGPT is told", func() error {
			if s.reloads.Load() == before {
				return errors.New("it is not")
			}
			return nil
		})
		agentSays(t, s.instance, `"outcome":"loaded"`)

		must(t, os.WriteFile(s.overrides, []byte("toolsets: {helm/core: {enabled: true}}"), 0o600))
		s.holds(t, "overrides are in force", "helm/core", "new/loki")
		must(t, os.RemoveAll(s.dir))
		s.holds(t, "the directory is back, and the overrides in force", "helm/core", "new/loki")
		must(t, os.Remove(s.overrides))
		s.holds(t, "overrides are taken away", "-helm/core", "new/loki")
		if _, err := os.Stat(filepath.Join(s.dir, overrides)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the overrides are in the directory: %v", err)
		}
		s.answers(t, 20*time.Second, "/api/v1/services/team/checkout", http.StatusOK)
		env.Create(t, testenv.Service{Namespace: "new", Name: "odd", Port: "http", Number: 8080, Annotations: map[string]string{"kubernaut.io/toolset": "perhaps"}})
		s.says(t, "BadAnnotation", "no Events are recorded")
		for line := range strings.Lines(s.Log(t)) {
			for _, refusal := range []string{"forbidden", "not allowed", "may not", "refused", "cannot"} {
				if strings.Contains(line, refusal) {
					t.Errorf("something was refused: %s", line)
				}
			}
		}
		if n := s.metric(t, failed("event")); n != 0 {
			t.Errorf("%v Events count as failed", n)
		}
		nothingWritten(t, env)
	})
	t.Run("with Events", func(t *testing.T) {
		newSidecar(t, env, "events", append(rules, eventRule()))
		env.Create(t, testenv.Service{Namespace: "events", Name: "odd", Port: "http", Number: 8080, Annotations: map[string]string{"kubernaut.io/toolset": "perhaps"}})
		testenv.Eventually(t, 20*time.Second, "the owner is told", func() error {
			if len(told(t, env, "Service", "events", "odd", "BadAnnotation")) == 0 {
				return errors.New("there is no Event")
			}
			return nil
		})
	})
	for i, rule := range rules {
		for j, verb := range rule.Verbs {
			resource := rule.Resources[0]
			t.Run("without "+verb+" "+resource, func(t *testing.T) {
				t.Parallel()
				less := make([]rbacv1.PolicyRule, len(rules))
				for k := range rules {
					rules[k].DeepCopyInto(&less[k])
				}
				less[i].Verbs = append(less[i].Verbs[:j], less[i].Verbs[j+1:]...)
				s := newSidecar(t, env, "without-"+verb+"-"+resource, less)
				if verb == "get" {
					s.holds(t, "it is published", "team/prometheus")
					s.answers(t, 20*time.Second, "/api/v1/services/team/checkout", http.StatusServiceUnavailable)
				}
				testenv.Eventually(t, 30*time.Second, "it says what is missing", func() error {
					_, body := get(s.api + "/api/v1/services/team/checkout")
					if want := "not allowed to " + verb + " " + resource; !strings.Contains(s.Log(t)+body, want) {
						return fmt.Errorf("no %q", want)
					}
					return nil
				})
			})
		}
	}
}

// nothingWritten: neither a ConfigMap nor a Lease nor an Event is there.
func nothingWritten(t *testing.T, env *testenv.Env) {
	t.Helper()
	if cm := env.ConfigMap(t); cm != nil {
		t.Errorf("a ConfigMap was written: %s", cm.Name)
	}
	leases, err := env.Client.CoordinationV1().Leases("").List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for i := range leases.Items {
		if l := &leases.Items[i]; strings.Contains(l.Name, "dynamic-toolset") {
			t.Errorf("there is a lease %s/%s", l.Namespace, l.Name)
		}
	}
}

// TestSidecarDirectory has the volume come right late: until then the cause is told, nothing ends, and nothing is lost.
func TestSidecarDirectory(t *testing.T) {
	t.Attr("req", "DTS-RUN-5 DTS-RUN-6")
	env := testenv.Shared(t)
	env.Create(t, prometheusIn(team, "prometheus"))
	for _, tc := range []struct {
		name, says string
		breakIt    func(t *testing.T, dir string) (mend func(*testing.T))
	}{
		{"missing", "something else has this name", func(t *testing.T, dir string) func(*testing.T) {
			must(t, os.Symlink(dir+".late", dir))
			return func(t *testing.T) { must(t, os.Mkdir(dir+".late", 0o755)) }
		}},
		{"read-only", "the file system is read-only", func(t *testing.T, dir string) func(*testing.T) {
			mount(t, dir, "size=1m")
			must(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
			return func(t *testing.T) { must(t, unix.Mount("", dir, "", unix.MS_REMOUNT, "")) }
		}},
		{"full", "the disk is full", func(t *testing.T, dir string) func(*testing.T) {
			mount(t, dir, "nr_inodes=3") // the directory, and one more beside the lock's
			must(t, os.WriteFile(filepath.Join(dir, "other"), nil, 0o600))
			return func(t *testing.T) { must(t, unix.Mount("", dir, "", unix.MS_REMOUNT, "nr_inodes=100")) }
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "shared")
			mend := tc.breakIt(t, dir)
			i := start(t, env, "--out", dir)
			testenv.Eventually(t, 20*time.Second, "it says why it is not ready", func() error {
				status, body := get(i.api + "/readyz")
				if status != http.StatusServiceUnavailable || !strings.Contains(body, dir) || !strings.Contains(body, tc.says) {
					return fmt.Errorf("%d %s", status, body)
				}
				return nil
			})
			mend(t)
			s := &sidecar{instance: i, dir: dir}
			s.holds(t, "it is written as soon as it can be", "team/prometheus")
			i.answers(t, 20*time.Second, "/readyz", http.StatusOK)
			var status struct{ Target string }
			_, body := get(i.api + "/api/v1/status")
			if err := json.Unmarshal([]byte(body), &status); err != nil || status.Target != dir {
				t.Errorf("the API names the target %q: %v", status.Target, err)
			}
			i.Kill(t)
			s = &sidecar{instance: start(t, env, "--out", dir), dir: dir}
			s.answers(t, 20*time.Second, "/readyz", http.StatusOK)
			s.holds(t, "after a restart", "team/prometheus")
			s.Kill(t)
		})
	}
	nothingWritten(t, env)
}

// mount makes a small file system of its own, which takes root.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	must(t, os.Mkdir(dir, 0o755))
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0777,"+options); err != nil {
		t.Skipf("mounting a file system: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}
