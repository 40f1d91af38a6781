//go:build integration

// Package integration runs the built binary against a real kube-apiserver and etcd: see testenv. Run it with:
// make test-integration
package integration

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// The other tests rely on what this one shows: accidents lose no data, and every change of the ConfigMap is recorded with
// its author.
func TestControlPlane(t *testing.T) {
	t.Attr("req", "DTS-QA-1")
	env := testenv.Start(t)
	b := env.Create(t, testenv.Service{Namespace: "monitoring", Name: "prometheus", Number: 9090, Kind: standin.Prometheus})
	if ip, err := netip.ParseAddr(b.Spec.ClusterIP); err != nil || !netip.MustParsePrefix(testenv.ServiceCIDR).Contains(ip) {
		t.Errorf("ClusterIP %s is not out of %s", b.Spec.ClusterIP, testenv.ServiceCIDR)
	}
	record := env.Record(t)
	apply := func(manager, key, value string) error {
		return edit(env, manager).apply(t.Context(), false, map[string]string{key: value})
	}
	accidents := []struct {
		name string
		do   func()
	}{
		{"nothing", func() {}},
		{"API server stopped", func() { env.APIServer.Stop(t); env.APIServer.Start(t) }},
		{"API server killed", func() { env.APIServer.Kill(t); env.APIServer.Start(t) }},
		{"etcd killed", func() { env.Etcd.Kill(t); env.Etcd.Start(t) }},
		{"both killed", func() { env.APIServer.Kill(t); env.Etcd.Kill(t); env.Etcd.Start(t); env.APIServer.Start(t) }},
	}
	for i, a := range accidents {
		a.do()
		manager, key := fmt.Sprintf("manager-%d", i), fmt.Sprintf("key-%d", i)
		testenv.Retry(t, "applying after: "+a.name, func() error { return apply(manager, key, a.name) })
		testenv.Eventually(t, 10*time.Second, "the change is recorded after: "+a.name, func() error {
			changes := record.Changes()
			if len(changes) != i+1 {
				return fmt.Errorf("%d changes", len(changes))
			}
			if c := changes[i]; !slices.Equal(c.Managers, []string{manager}) || !slices.Equal(c.Keys, []string{key}) {
				return errors.New(c.String())
			}
			return nil
		})
	}
	if got := len(env.ConfigMap(t).Data); got != len(accidents) {
		t.Errorf("%d keys, want %d: %v", got, len(accidents), env.ConfigMap(t).Data)
	}
	must(t, apply("manager-0", "key-0", "nothing"))
	env.Kubectl(t, "", "delete", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName)
	testenv.Eventually(t, 10*time.Second, "the deletion is recorded", func() error {
		changes := record.Changes()
		if last := changes[len(changes)-1]; last.Type != watch.Deleted {
			return errors.New(last.String())
		}
		if len(changes) != len(accidents)+1 {
			return fmt.Errorf("an apply that changes nothing was recorded:\n%s", record)
		}
		return nil
	})
}
