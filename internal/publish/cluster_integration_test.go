//go:build integration

package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// TestRealAPIServer runs all that must be seen on a real API server on one of them, each in a namespace of its own
// and as a ServiceAccount that may do no more than the shipped one.
func TestRealAPIServer(t *testing.T) {
	env := testenv.Start(t)
	for _, tt := range []struct {
		name string
		test func(*testing.T, *cluster)
	}{
		{"create", testCreate},
		{"drift", testDrift},
		{"foreign", testForeign},
		{"pruned", testPruned},
		{"hold", testHold},
		{"too large", testTooLarge},
		{"stale", testStale},
		{"stale leader", testStaleLeader},
		{"deleted unseen", testDeletedUnseen},
		{"create race", testCreateRace},
		{"many creators", testManyCreators},
		{"restore", testRestore},
		{"restore loses", testRestoreLoses},
		{"restore interrupted", testRestoreInterrupted},
		{"refused", testRefused},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, newCluster(t, env)) })
	}
}

// cluster is a namespace of the API server.
type cluster struct {
	t       *testing.T
	env     *testenv.Env
	options Options
	admin   corev1client.ConfigMapInterface
	account string // kubeconfig of the ServiceAccount
	revoke  func()
}

func newCluster(t *testing.T, env *testenv.Env) *cluster {
	t.Helper()
	o := testOptions
	o.Namespace = "n-" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(t.Name(), "TestRealAPIServer/"), "_", "-"))
	o.Namespace = strings.ReplaceAll(strings.ReplaceAll(o.Namespace, "/", "-"), ",", "")
	env.Namespace(t, o.Namespace)
	c := &cluster{t: t, env: env, options: o, admin: env.Client.CoreV1().ConfigMaps(o.Namespace)}
	c.account = env.ServiceAccount(t, o.Namespace, "dynamic-toolset")
	c.grant()
	return c
}

// grant gives the rights of DTS-SEC-1.
func (c *cluster) grant() {
	c.t.Helper()
	rule := testenv.Rule("", "configmaps", "get", "list", "watch", "create", "patch")
	rule.ResourceNames = []string{c.options.Name}
	c.revoke = c.env.Grant(c.t, c.options.Namespace, c.options.Namespace, "dynamic-toolset", rule)
}

// counted is the ServiceAccount's client. It counts requests, and can be made to do something between two of them.
type counted struct {
	Client
	mu       sync.Mutex
	requests []string
	before   func(n int) error // n counts from 1
}

func (c *counted) count(name string) error {
	c.mu.Lock()
	c.requests = append(c.requests, name)
	n := len(c.requests)
	c.mu.Unlock()
	if c.before != nil {
		return c.before(n)
	}
	return nil
}

func (c *counted) Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.ConfigMap, error) {
	if err := c.count("get"); err != nil {
		return nil, err
	}
	return c.Client.Get(ctx, name, opts)
}

func (c *counted) Apply(ctx context.Context, cm *applycorev1.ConfigMapApplyConfiguration, opts metav1.ApplyOptions) (*corev1.ConfigMap, error) {
	if err := c.count("apply"); err != nil {
		return nil, err
	}
	return c.Client.Apply(ctx, cm, opts)
}

func (c *counted) Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, sub ...string) (*corev1.ConfigMap, error) {
	if err := c.count("patch"); err != nil {
		return nil, err
	}
	return c.Client.Patch(ctx, name, pt, data, opts, sub...)
}

// publisher is a new one, as after a start.
func (c *cluster) publisher() (*Publisher, *counted) {
	c.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.account)
	if err != nil {
		c.t.Fatal(err)
	}
	config.QPS = -1
	client, err := corev1client.NewForConfig(config)
	if err != nil {
		c.t.Fatal(err)
	}
	counter := &counted{Client: client.ConfigMaps(c.options.Namespace)}
	return New(counter, c.options), counter
}

// get is the ConfigMap as the admin sees it; nil if there is none.
func (c *cluster) get() *corev1.ConfigMap {
	c.t.Helper()
	cm, err := c.admin.Get(c.t.Context(), c.options.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return cm
}

// publish publishes from the live ConfigMap and expects no error.
func (c *cluster) publish(p *Publisher, want Desired) Result {
	c.t.Helper()
	res, err := p.from(c.get()).Publish(c.t.Context(), always(want))
	if err != nil {
		c.t.Fatalf("publish: %v", err)
	}
	return res
}

// quiet expects the ConfigMap to hold the keys and our labels, and that nothing more is written, neither by this
// Publisher nor by the next one.
func (c *cluster) quiet(p *Publisher, requests *counted, want map[string]string) {
	c.t.Helper()
	before := c.get()
	for k, text := range want {
		if before.Data[k] != text {
			c.t.Errorf("%s is %q, want %q", k, before.Data[k], text)
		}
	}
	for k := range entries(before) {
		if _, ok := want[k]; !ok && toolset.OwnedKey(k) {
			c.t.Errorf("%s is still there", k)
		}
	}
	for k, v := range c.options.Labels {
		if before.Labels[k] != v {
			c.t.Errorf("label %s is %q", k, before.Labels[k])
		}
	}
	for _, e := range before.ManagedFields {
		if isRestorer(e.Manager) {
			c.t.Errorf("%s is still in the managedFields", e.Manager)
		}
	}
	requests.requests = nil
	if res := c.publish(p, Desired{Keys: want}); res.Written {
		c.t.Errorf("written again: %+v", res)
	}
	next, more := c.publisher()
	if res := c.publish(next, Desired{Keys: want}); res.Written {
		c.t.Errorf("written after a restart: %+v", res)
	}
	if all := slices.Concat(requests.requests, more.requests); len(all) > 0 {
		c.t.Errorf("requests in a quiet cycle: %q", all)
	}
	if after := c.get(); after.ResourceVersion != before.ResourceVersion {
		c.t.Errorf("resourceVersion %s became %s in a quiet cycle", before.ResourceVersion, after.ResourceVersion)
	}
}

// patch changes the ConfigMap as another field manager does by an update.
func (c *cluster) patch(manager string, body any) *corev1.ConfigMap {
	c.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	cm, err := c.admin.Patch(c.t.Context(), c.options.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: manager})
	if err != nil {
		c.t.Fatalf("%s patches: %v", manager, err)
	}
	return cm
}

// apply changes it as another field manager does by an apply.
func (c *cluster) apply(manager string, force bool, data map[string]string) {
	c.t.Helper()
	cm := applycorev1.ConfigMap(c.options.Name, c.options.Namespace).WithData(data)
	if _, err := c.admin.Apply(c.t.Context(), cm, metav1.ApplyOptions{FieldManager: manager, Force: force}); err != nil {
		c.t.Fatalf("%s applies: %v", manager, err)
	}
}

func (c *cluster) delete() {
	c.t.Helper()
	if err := c.admin.Delete(c.t.Context(), c.options.Name, metav1.DeleteOptions{}); err != nil {
		c.t.Fatal(err)
	}
}

// managers are the field managers of a key, as MANAGER/OPERATION.
func (c *cluster) managers(key string) []string {
	c.t.Helper()
	var names []string
	live := c.get()
	for i, e := range ownersOf(live).entries {
		if e.has(inData, key) {
			names = append(names, fmt.Sprintf("%s/%s", e.manager, live.ManagedFields[i].Operation))
		}
	}
	slices.Sort(names)
	return names
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

type object = map[string]any
