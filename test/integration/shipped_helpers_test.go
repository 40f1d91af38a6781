//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"kubernaut.io/dynamic-toolset/test/chart/shipped"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// adapted is all that differs from the shipped configuration: where it listens, and how often it looks.
var adapted = []string{
	"--set", "server.address=127.0.0.1:0", "--set", "metrics.address=127.0.0.1:0", "--set", "shutdown.delay=100ms",
	"--set", "health.interval=500ms", "--set", "health.tries=1", "--set", "health.timeout=1s", "--set", "output.resync=2s",
	"--set", "discovery.settle=20ms", "--set", "log.format=text", "--set", "leaderElection.leaseDuration=3s",
	"--set", "leaderElection.renewDeadline=2s", "--set", "leaderElection.retryPeriod=200ms",
}

// installation is a release of the chart, as far as it can be without pods: the service runs here, with the token of its
// ServiceAccount and the configuration of its ConfigMap.
type installation struct {
	env          *testenv.Env
	release      string
	home, output string // namespaces
	account      string
	kubeconfig   string
	configFile   string
	objects      shipped.Objects
	removed      int // verbs left out
	grantedIn    map[string][]rbacv1.PolicyRule
	*instance    // api is its https://address
}

var installations atomic.Int32

// right is a verb of a rule; the namespace is that of the Role, "" for a ClusterRole.
type right struct{ namespace, resource, verb string }

// install installs the chart with values (as helm's --set), but for one right, in namespaces of its own.
func install(t *testing.T, env *testenv.Env, without right, values ...string) *installation {
	t.Helper()
	n := installations.Add(1)
	i := &installation{
		env: env, release: fmt.Sprintf("release-%d", n), home: fmt.Sprintf("home-%d", n), output: fmt.Sprintf("output-%d", n),
		grantedIn: map[string][]rbacv1.PolicyRule{},
	}
	i.account = i.release + "-dynamic-toolset"
	env.Namespace(t, i.home)
	env.Namespace(t, i.output)
	args := []string{"--namespace", i.home, "--set", "config.output.namespace=" + i.output}
	for _, v := range values {
		args = append(args, "--set", v)
	}
	var err error
	i.objects, err = shipped.Render(t.Context(), i.release, args...)
	must(t, err)
	if without.namespace == "output" {
		without.namespace = i.output
	}
	for _, o := range i.objects.Kind("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding") {
		i.create(t, o.Object, without)
	}
	if without != (right{}) && i.removed != 1 {
		t.Fatalf("%+v was removed from %d rules", without, i.removed)
	}
	for namespace, rules := range i.grantedIn { // so that none is missed at the start
		env.WaitForRights(t, namespace, i.home, i.account, rules)
	}
	config, err := i.objects.Config()
	must(t, err)
	i.configFile = filepath.Join(t.TempDir(), "config.yaml")
	must(t, os.WriteFile(i.configFile, []byte(config), 0o600))
	i.kubeconfig = env.ServiceAccount(t, i.home, i.account)
	return i
}

// create makes one of the objects that are about rights. The ClusterRole that comes with Kubernetes is one of them: of it a
// copy is used where something is to be left out.
func (i *installation) create(t *testing.T, object map[string]any, without right) {
	t.Helper()
	ctx, opts, rbac := t.Context(), metav1.CreateOptions{}, i.env.Client.RbacV1()
	into := func(typed any) { must(t, runtime.DefaultUnstructuredConverter.FromUnstructured(object, typed)) }
	var err error
	switch object["kind"] {
	case "ServiceAccount":
		var o corev1.ServiceAccount
		into(&o)
		_, err = i.env.Client.CoreV1().ServiceAccounts(o.Namespace).Create(ctx, &o, opts)
	case "Role":
		var o rbacv1.Role
		into(&o)
		o.Rules = i.narrow(o.Namespace, o.Rules, without)
		i.env.Namespace(t, o.Namespace)
		_, err = rbac.Roles(o.Namespace).Create(ctx, &o, opts)
	case "ClusterRole":
		var o rbacv1.ClusterRole
		into(&o)
		o.Rules = i.narrow("", o.Rules, without)
		_, err = rbac.ClusterRoles().Create(ctx, &o, opts)
	case "RoleBinding":
		var o rbacv1.RoleBinding
		into(&o)
		_, err = rbac.RoleBindings(o.Namespace).Create(ctx, &o, opts)
	case "ClusterRoleBinding":
		var o rbacv1.ClusterRoleBinding
		into(&o)
		if o.RoleRef.Name == "system:auth-delegator" {
			role, getErr := rbac.ClusterRoles().Get(ctx, o.RoleRef.Name, metav1.GetOptions{})
			must(t, getErr)
			removed := i.removed
			rules := i.narrow("", role.Rules, without)
			if i.removed > removed {
				o.RoleRef.Name = i.release + "-narrow-delegator"
				_, err = rbac.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: o.RoleRef.Name}, Rules: rules}, opts)
				must(t, err)
			}
		}
		_, err = rbac.ClusterRoleBindings().Create(ctx, &o, opts)
	}
	must(t, err)
}

// narrow leaves out one right, and notes the rules that the service gets.
func (i *installation) narrow(namespace string, rules []rbacv1.PolicyRule, without right) []rbacv1.PolicyRule {
	var kept []rbacv1.PolicyRule
	for _, rule := range rules {
		if rule.APIGroups[0] == "toolset.kubernaut.io" { // the users'
			return rules
		}
		verbs := slices.Clone(rule.Verbs)
		if namespace == without.namespace && rule.Resources[0] == without.resource {
			verbs = slices.DeleteFunc(verbs, func(v string) bool { return v == without.verb })
			i.removed += len(rule.Verbs) - len(verbs)
		}
		if rule.Verbs = verbs; len(verbs) > 0 {
			kept = append(kept, rule)
		}
	}
	i.grantedIn[namespace] = append(i.grantedIn[namespace], kept...)
	return kept
}

// run runs the service until it listens.
func (i *installation) run(t *testing.T) {
	t.Helper()
	args := append([]string{"serve", "--config", i.configFile}, adapted...)
	i.instance = running(t, i.env.Process(t, i.kubeconfig, nil, args...))
	i.api = strings.Replace(i.api, "http://", "https://", 1) // as shipped, it is TLS
}

// configMap is the one that is written, nil while there is none.
func (i *installation) configMap(t *testing.T) *corev1.ConfigMap {
	t.Helper()
	cm, err := i.env.Client.CoreV1().ConfigMaps(i.output).Get(t.Context(), testenv.ConfigMapName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	must(t, err)
	return cm
}

// holds waits until the ConfigMap holds what check wants. A Service that has changed three times within a minute waits for half a
// minute.
func (i *installation) holds(t *testing.T, what string, check func(*corev1.ConfigMap) error) {
	t.Helper()
	testenv.Eventually(t, 45*time.Second, what, func() error {
		if cm := i.configMap(t); cm != nil {
			return check(cm)
		}
		return errors.New("there is no ConfigMap")
	})
}

// publishes waits until the document has the texts, and those behind a "-" not.
func (i *installation) publishes(t *testing.T, texts ...string) {
	t.Helper()
	i.holds(t, fmt.Sprintf("%q is published", texts), has(document, texts...))
}

func has(key string, texts ...string) func(*corev1.ConfigMap) error {
	return func(cm *corev1.ConfigMap) error {
		if wrong := amiss(cm.Data[key], texts...); len(wrong) > 0 {
			return fmt.Errorf("not as wanted: %q in %s:\n%s", wrong, key, cm.Data[key])
		}
		return nil
	}
}

// write changes the ConfigMap as an admin does.
func (i *installation) write(t *testing.T, key string, value any) {
	t.Helper()
	e := editor{i.env.Client.CoreV1().ConfigMaps(i.output), "admin"}
	testenv.Retry(t, "changing "+key, func() error { return e.patch(t.Context(), object{"data": object{key: value}}) })
}

func (i *installation) deleteConfigMap(t *testing.T) {
	t.Helper()
	must(t, i.env.Client.CoreV1().ConfigMaps(i.output).Delete(t.Context(), testenv.ConfigMapName, metav1.DeleteOptions{}))
}
