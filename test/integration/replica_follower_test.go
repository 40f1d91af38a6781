//go:build integration

package integration

import (
	"errors"
	"net/http"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// A follower is ready and writes nothing. When the lease is free it leads at once. That it asks the backends less often is in the
// tests of internal/health.
func TestReplicaFollows(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-3")
	env := testenv.Shared(t)
	b := env.Create(t, prometheusIn("monitoring", "prometheus"))
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
	testenv.Consistently(t, 5*time.Second, "it writes nothing", func() error {
		if cm := env.ConfigMap(t); cm != nil {
			return errors.New(cm.Data[document])
		}
		return nil
	})
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = ptr.To(""), ptr.To[int32](1)
	_, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{})
	must(t, err)
	published(t, env, "it takes the lease that is free", b.URL())
}
