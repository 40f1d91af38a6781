//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

const account = "dynamic-toolset"

// The rules that are needed, and no others (DTS-SEC-1).
func watchRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		testenv.Rule("", "services", "get", "list", "watch"),
		testenv.Rule("discovery.k8s.io", "endpointslices", "get", "list", "watch"),
	}
}

func eventRule() rbacv1.PolicyRule { return testenv.Rule("events.k8s.io", "events", "create", "patch") }

func leaseRule() rbacv1.PolicyRule {
	r := testenv.Rule("coordination.k8s.io", "leases", "get", "create", "update", "patch")
	r.ResourceNames = []string{"dynamic-toolset"}
	return r
}

func configMapRule(verbs ...string) rbacv1.PolicyRule {
	r := testenv.Rule("", "configmaps", verbs...)
	r.ResourceNames = []string{testenv.ConfigMapName}
	return r
}

var (
	readVerbs  = []string{"get", "list", "watch"}
	writeVerbs = []string{"create", "patch"}
)

func prometheusIn(namespace, name string) testenv.Service {
	return testenv.Service{
		Namespace: namespace, Name: name, Labels: named("prometheus"), Port: "http", Number: 9090, Kind: standin.Prometheus,
	}
}

// TestLeastRights: with the rights that the manifests give, everything works, and nothing else is asked for.
func TestLeastRights(t *testing.T) {
	t.Attr("req", "DTS-SEC-1 DTS-DET-9")
	const ns = testenv.OutputNamespace
	for _, c := range []struct {
		name  string
		args  []string
		grant func(*testing.T, *testenv.Env)
	}{
		{"a ClusterRole", nil, func(t *testing.T, env *testenv.Env) {
			env.Grant(t, "", ns, account, append(watchRules(), eventRule())...)
		}},
		{"Roles only", []string{"--set", "discovery.namespaces=[monitoring, tracing]"}, func(t *testing.T, env *testenv.Env) {
			env.Grant(t, ns, ns, account, eventRule())
			for _, watched := range []string{"monitoring", "tracing"} {
				env.Namespace(t, watched)
				env.Grant(t, watched, ns, account, append(watchRules(), eventRule())...)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := testenv.Shared(t)
			user := env.ServiceAccount(t, ns, account)
			c.grant(t, env)
			env.Grant(t, ns, ns, account, leaseRule(), configMapRule(append(readVerbs, writeVerbs...)...))
			service := serveAs(t, env, user, c.args...)
			published(t, env, "made", "kubernetes/core")
			env.Create(t, prometheusIn("monitoring", "prometheus"))
			env.Create(t, testenv.Service{Namespace: "tracing", Name: "jaeger", Labels: named("jaeger"), Port: "http-query", Number: 16686, Kind: standin.Jaeger})
			env.Create(t, prometheusIn("elsewhere", "prometheus"))
			published(t, env, "found", "monitoring/prometheus", "tracing/jaeger:")
			must(t, edit(env, "admin").apply(t.Context(), false, map[string]string{overrides: adminsText}))
			published(t, env, "overridden", "helm/core")
			must(t, edit(env, "vandal").patch(t.Context(), object{"data": object{document: nil, extra: "x"}, "binaryData": object{"loki-toolset.yaml": []byte{1}}}))
			holds(t, env, "repaired", func(cm *corev1.ConfigMap) error {
				if cm.Data[document] == "" || cm.Data[extra] != "" || len(cm.BinaryData) > 0 {
					return fmt.Errorf("%v", cm)
				}
				return nil
			})
			env.Kubectl(t, "", "delete", "configmap", "-n", ns, testenv.ConfigMapName)
			published(t, env, "back", "helm/core", "monitoring/prometheus")
			tells(t, env, "Normal", "OverridesRestored", "is restored with its overrides")
			env.Change(t, "monitoring", "prometheus", func(s *corev1.Service) {
				s.Annotations = map[string]string{"kubernaut.io/toolset-port": "none"}
			})
			published(t, env, "withdrawn", "-monitoring/prometheus")
			testenv.Eventually(t, 10*time.Second, "its owner is told", func() error {
				if len(told(t, env, "Service", "monitoring", "prometheus", "BadAnnotation")) != 1 {
					return errors.New("not yet")
				}
				return nil
			})
			if strings.Contains(env.ConfigMap(t).Data[document], "elsewhere") != (c.args == nil) {
				t.Error("another namespace is looked at, or not")
			}
			for _, operation := range []string{"list", "apply", "prune", "restore", "lease", "event"} {
				if n := service.metric(t, failed(operation)); n > 0 {
					t.Errorf("%v errors of %s", n, operation)
				}
			}
			if log := service.Log(t); strings.Contains(log, "forbidden") || strings.Contains(log, "(403)") {
				t.Error("something was asked for that is not allowed")
			}
		})
	}
}

// TestWriteForbidden: whoever may not write says so, and goes on as soon as it may.
func TestWriteForbidden(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	const ns = testenv.OutputNamespace
	env := testenv.Shared(t)
	user := env.ServiceAccount(t, ns, account)
	env.Grant(t, "", ns, account, append(watchRules(), eventRule())...)
	env.Grant(t, ns, ns, account, leaseRule(), configMapRule(readVerbs...))
	service := serveAs(t, env, user)
	for _, stage := range []struct{ name, operation, added string }{
		{"to make it", "restore", "first"}, {"to change it", "apply", "second"},
	} {
		env.Create(t, prometheusIn("monitoring", stage.added))
		before := env.ConfigMap(t)
		tells(t, env, "Warning", "PublishFailed", "not allowed to patch")
		service.reaches(t, failed(stage.operation), 1)
		service.reaches(t, reconciled("error"), 1)
		service.answers(t, 10*time.Second, "/readyz", http.StatusOK)
		if now := env.ConfigMap(t); (now == nil) != (before == nil) || now != nil && now.ResourceVersion != before.ResourceVersion {
			t.Errorf("%s: it was written all the same", stage.name)
		}
		revoke := env.Grant(t, ns, ns, account, configMapRule(writeVerbs...))
		allowed := time.Now()
		testenv.Eventually(t, 40*time.Second, "published when it is allowed", func() error {
			if cm := env.ConfigMap(t); cm == nil || !strings.Contains(cm.Data[document], "monitoring/"+stage.added) {
				return errors.New("not yet")
			}
			return nil
		})
		t.Logf("%s: published %s after it was allowed", stage.name, time.Since(allowed).Round(time.Millisecond))
		tells(t, env, "Normal", "PublishWorks", "works again")
		revoke()
		testenv.Eventually(t, 10*time.Second, "the role is taken away", func() error {
			review, err := env.Client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
				Spec: authorizationv1.SubjectAccessReviewSpec{
					User: "system:serviceaccount:" + ns + ":" + account,
					ResourceAttributes: &authorizationv1.ResourceAttributes{
						Namespace: ns, Verb: "patch", Resource: "configmaps", Name: testenv.ConfigMapName,
					},
				},
			}, metav1.CreateOptions{})
			if err == nil && review.Status.Allowed {
				err = errors.New("still allowed")
			}
			return err
		})
	}
}

// TestNothingMayBeWatched: whoever may see no Services at all is not ready, and takes nothing away.
func TestNothingMayBeWatched(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-RUN-3")
	const ns = testenv.OutputNamespace
	env := testenv.Shared(t)
	env.Create(t, prometheusIn("monitoring", "prometheus"))
	admin := start(t, env)
	before := published(t, env, "there", "monitoring/prometheus")
	admin.Signal(t, syscall.SIGTERM)
	admin.Wait(t, 20*time.Second)
	user := env.ServiceAccount(t, ns, account)
	env.Grant(t, ns, ns, account, eventRule(), leaseRule(), configMapRule(append(readVerbs, writeVerbs...)...))
	service := serveAs(t, env, user)
	service.reaches(t, failed("list"), 2)
	testenv.Consistently(t, 3*time.Second, "not ready, and nothing is written", func() error {
		if status, _ := get(service.api + "/readyz"); status != http.StatusServiceUnavailable {
			return fmt.Errorf("/readyz answers %d", status)
		}
		return differs("resourceVersion", before.ResourceVersion, env.ConfigMap(t).ResourceVersion)
	})
	env.Grant(t, "", ns, account, watchRules()...)
	service.answers(t, 90*time.Second, "/readyz", http.StatusOK)
	env.Create(t, prometheusIn("monitoring", "second"))
	published(t, env, "allowed, it goes on", "monitoring/prometheus", "monitoring/second")
}

// TestTooLarge: what would grow too large is not written, the last one stays, and all clears when there is room again.
func TestTooLarge(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-MET-1")
	env := testenv.Shared(t)
	service := start(t, env)
	env.Create(t, prometheusIn("monitoring", "first"))
	before := published(t, env, "there", "monitoring/first")
	admin := edit(env, "admin")
	fill := func(kib int) {
		t.Helper()
		must(t, admin.apply(t.Context(), false, map[string]string{"big": strings.Repeat("x", kib<<10)}))
	}
	fill(600)
	tells(t, env, "Warning", "ConfigMapLarge", "60")
	service.reaches(t, "dynamictoolset_configmap_size_bytes", 600<<10)
	fill(899)
	env.Create(t, prometheusIn("monitoring", "second"))
	tells(t, env, "Warning", "PublishFailed", "too large")
	service.reaches(t, reconciled("too_large"), 1)
	if got := env.ConfigMap(t).Data[document]; got != before.Data[document] {
		t.Errorf("the last good one does not stay: %s", got)
	}
	service.answers(t, time.Second, "/readyz", http.StatusOK)
	fill(10)
	published(t, env, "there is room again", "monitoring/first", "monitoring/second")
	tells(t, env, "Normal", "PublishWorks", "works again")
	testenv.Eventually(t, 10*time.Second, "the size is small again", func() error {
		if v := service.metric(t, "dynamictoolset_configmap_size_bytes"); v > 20<<10 {
			return fmt.Errorf("%v bytes", v)
		}
		return nil
	})
}

// TestConflicts: a write that meets a conflict is made again from what is there by then.
func TestConflicts(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	const ns = testenv.OutputNamespace
	env := testenv.Shared(t)
	env.ServiceAccount(t, ns, account)
	env.Grant(t, "", ns, account, append(watchRules(), eventRule())...)
	env.Grant(t, ns, ns, account, leaseRule(), configMapRule(append(readVerbs, writeVerbs...)...))
	front := env.Front(t)
	service := serveAs(t, env, env.TokenKubeconfig(t, front.URL, front.CA, env.Token(t, ns, account)), "--set", "output.resync=10m")
	published(t, env, "made", "kubernetes/core")
	var left, refused atomic.Int64
	front.Inject(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || !strings.Contains(r.URL.Path, "/configmaps/") || left.Add(-1) < 0 {
			return false
		}
		refused.Add(1)
		testenv.Refuse(w, apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, testenv.ConfigMapName, errors.New("injected")))
		return true
	})
	left.Store(2)
	env.Create(t, prometheusIn("monitoring", "first"))
	published(t, env, "after two conflicts", "monitoring/first")
	if n := service.metric(t, reconciled("conflict")); n > 0 {
		t.Errorf("two conflicts are reported as %v failures", n)
	}
	left.Store(7) // more than two rounds of tries
	env.Create(t, prometheusIn("monitoring", "second"))
	tells(t, env, "Warning", "PublishFailed", "changed it at each attempt")
	published(t, env, "after more of them", "monitoring/second")
	service.reaches(t, reconciled("conflict"), 2)
	tells(t, env, "Normal", "PublishWorks", "works again")
	if n := refused.Load(); n != 9 {
		t.Errorf("%d conflicts, want 9", n)
	}
}
