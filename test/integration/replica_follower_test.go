//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// odd makes a Service of which a leader tells the owner by an Event.
func odd(t *testing.T, env *testenv.Env) {
	t.Helper()
	env.Create(t, testenv.Service{
		Namespace: "monitoring", Name: "odd", Port: "http", Number: 8080, Annotations: map[string]string{"kubernaut.io/toolset": "perhaps"},
	})
}

// nothing is there of what a service writes.
func nothing(t *testing.T, env *testenv.Env) {
	t.Helper()
	testenv.Consistently(t, 5*time.Second, "it writes nothing", func() error {
		if cm := env.ConfigMap(t); cm != nil {
			return errors.New(cm.Data[document])
		}
		if events := told(t, env, "Service", "monitoring", "odd", "BadAnnotation"); len(events) > 0 {
			return fmt.Errorf("%v", events)
		}
		return nil
	})
}

// A dry run discovers, and writes neither the ConfigMap nor Events nor the Lease.
func TestDryRun(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	env := testenv.Shared(t)
	env.Create(t, prometheusIn("monitoring", "prometheus"))
	odd(t, env)
	i := start(t, env, "--dry-run")
	i.answers(t, 10*time.Second, "/readyz", http.StatusOK)
	caller{i.api, ""}.becomes(t, 10*time.Second, http.MethodGet, "/api/v1/document", http.StatusOK, "monitoring/prometheus")
	nothing(t, env)
	if h := holder(t, env); h != "" {
		t.Errorf("%s has the lease", h)
	}
}

// A follower is ready and writes nothing. When the lease is free it leads at once. That it asks the backends less often
// is in the tests of internal/controller.
func TestReplicaFollows(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-3")
	env := testenv.Shared(t)
	b := env.Create(t, prometheusIn("monitoring", "prometheus"))
	odd(t, env)
	leases := env.Client.CoordinationV1().Leases(testenv.OutputNamespace)
	now := metav1.NowMicro()
	lease, err := leases.Create(t.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "dynamic-toolset"},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("somebody else"), LeaseDurationSeconds: ptr.To[int32](3600), AcquireTime: &now, RenewTime: &now,
		},
	}, metav1.CreateOptions{})
	must(t, err)
	start(t, env).answers(t, 10*time.Second, "/readyz", http.StatusOK)
	nothing(t, env)
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = ptr.To(""), ptr.To[int32](1)
	_, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{})
	must(t, err)
	published(t, env, "it takes the lease that is free", b.URL())
	testenv.Eventually(t, 20*time.Second, "the owner is told", func() error {
		if len(told(t, env, "Service", "monitoring", "odd", "BadAnnotation")) == 0 {
			return errors.New("there is no Event")
		}
		return nil
	})
}
