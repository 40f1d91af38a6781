//go:build integration

package testenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// cluster is the one that the tests of a package use one after another.
type cluster struct {
	mu      sync.Mutex
	env     *Env            // nil until it is needed, and where the last one could not be emptied
	initial map[string]bool // the keys in etcd that Kubernetes itself has made
}

var shared cluster

// Main runs the tests of a package that uses Shared, and ends its cluster.
func Main(m *testing.M) {
	m.Run()
	shared.end()
}

// Shared is a cluster as Start starts it, but that the tests of the package use one after another: all that a test
// has made is taken away when it ends. A test that stops a server, makes CustomResourceDefinitions, changes what
// Kubernetes itself has made, makes the API server grow or runs in parallel with others takes Start.
func Shared(t testing.TB) *Env {
	t.Helper()
	if !shared.mu.TryLock() {
		t.Fatal("another test uses the shared cluster")
	}
	t.Cleanup(shared.mu.Unlock)
	if shared.env == nil {
		shared.start(t)
	}
	one := shared.env
	e := &Env{
		Config: one.Config, Client: one.Client, dir: t.TempDir(),
		assets: one.assets, kubeconfig: one.kubeconfig, etcdURL: one.etcdURL,
	}
	t.Cleanup(func() {
		if err := shared.empty(); err != nil {
			t.Errorf("emptying the cluster: %v", err)
			shared.end()
		}
	})
	e.Namespace(t, OutputNamespace)
	return e
}

func (c *cluster) start(t testing.TB) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cluster-") //nolint:usetesting // it outlives the test
	must(t, err)
	env := &Env{dir: dir, assets: Assets(t)}
	env.start(t)
	for _, name := range []string{"default", "kube-node-lease", "kube-public", "kube-system"} {
		Eventually(t, 20*time.Second, "namespace "+name, func() error {
			_, err := env.Client.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
			return err
		})
	}
	Eventually(t, 20*time.Second, "the Service kubernetes", func() error {
		_, err := env.Client.CoreV1().Services("default").Get(t.Context(), "kubernetes", metav1.GetOptions{})
		return err
	})
	if c.initial, err = env.keys(); err != nil {
		t.Fatal(err)
	}
	c.env = env
}

// end ends it, if there is one.
func (c *cluster) end() {
	if c.env == nil {
		return
	}
	err := errors.Join(c.env.APIServer.kill(), c.env.Etcd.kill(), os.RemoveAll(c.env.dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, "ending the cluster:", err)
	}
	c.env = nil
}

// empty takes away in etcd what tests have made: there is no controller that empties a namespace that is deleted.
func (c *cluster) empty() error {
	keys, err := c.env.keys()
	if err != nil {
		return err
	}
	maps.DeleteFunc(keys, func(key string, _ bool) bool { return c.initial[key] || ofKubernetes(key) })
	b := &batch{url: c.env.etcdURL, atOnce: 1}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		b.delete(key)
	}
	if b.flush(); b.err != nil {
		return b.err
	}
	return awaitEmpty(c.env.Client)
}

// ofKubernetes reports whether the API server makes and renews a key by itself.
func ofKubernetes(key string) bool {
	for _, prefix := range []string{"/registry/leases/kube-system/", "/registry/masterleases/", "/registry/ranges/"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// awaitEmpty waits until the API server's caches have seen it: of Services, and of what gives rights.
func awaitEmpty(client kubernetes.Interface) error {
	cached := metav1.ListOptions{ResourceVersion: "0"}
	var left int
	for range ticks(time.Now().Add(20*time.Second), pollInterval) {
		services, err := client.CoreV1().Services("").List(context.Background(), cached)
		if err != nil {
			return err
		}
		accounts, err := client.CoreV1().ServiceAccounts("").List(context.Background(), cached)
		if err != nil {
			return err
		}
		bindings, err := client.RbacV1().RoleBindings(OutputNamespace).List(context.Background(), cached)
		if err != nil {
			return err
		}
		if left = len(services.Items) + len(accounts.Items) + len(bindings.Items); left <= 1 { // the Service kubernetes
			return nil
		}
	}
	return fmt.Errorf("the API server still has %d objects in its caches", left)
}

// keys are those in etcd.
func (e *Env) keys() (map[string]bool, error) {
	// From "/" to its successor is all that the API server stores.
	all := map[string]any{"key": []byte("/"), "range_end": []byte("0"), "keys_only": true}
	data, err := post(e.etcdURL+"/v3/kv/range", all)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Kvs []struct {
			Key []byte `json:"key"`
		} `json:"kvs"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("the keys in etcd: %w", err)
	}
	keys := map[string]bool{}
	for _, kv := range answer.Kvs {
		keys[string(kv.Key)] = true
	}
	return keys, nil
}
