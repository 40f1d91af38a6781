//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

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

// TestWriteForbidden: whoever may not write says so, and goes on as soon as it may.
func TestWriteForbidden(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	const ns = testenv.OutputNamespace
	env := testenv.Shared(t)
	user := env.ServiceAccount(t, ns, account)
	env.Grant(t, "", ns, account, append(watchRules(), eventRule())...)
	env.Grant(t, ns, ns, account, leaseRule(), configMapRule(readVerbs...))
	service := serveAs(t, env, user)
	env.Create(t, prometheusIn("monitoring", "prometheus"))
	tells(t, env, "Warning", "PublishFailed", "not allowed to patch")
	service.reaches(t, failed("restore"), 1)
	service.reaches(t, reconciled("error"), 1)
	service.answers(t, 10*time.Second, "/readyz", http.StatusOK)
	if cm := env.ConfigMap(t); cm != nil {
		t.Errorf("it was written all the same: %v", cm)
	}
	env.Grant(t, ns, ns, account, configMapRule(writeVerbs...))
	published(t, env, "published when it is allowed", "monitoring/prometheus")
	tells(t, env, "Normal", "PublishWorks", "works again")
}

// TestNothingMayBeWatched: whoever may see no Services at all is not ready, and takes nothing away.
func TestNothingMayBeWatched(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-RUN-3")
	const ns = testenv.OutputNamespace
	env := testenv.Shared(t)
	env.Create(t, prometheusIn("monitoring", "prometheus"))
	admin := start(t, env)
	before := published(t, env, "there", "monitoring/prometheus")
	ends(t, admin)
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
	service.answers(t, 10*time.Second, "/readyz", http.StatusOK)
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
