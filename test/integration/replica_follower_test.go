//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// A follower is ready, writes nothing, and asks the backends a quarter as often. When the lease is free it leads at once,
// and asks as often as a leader does.
func TestReplicaFollows(t *testing.T) {
	for _, id := range []string{"DTS-RUN-2", "DTS-RUN-3", "DTS-PRB-6"} {
		t.Attr("req", id)
	}
	env := testenv.Start(t)
	b := env.Create(t, prometheusService("monitoring", "prometheus"))
	leases := env.Client.CoordinationV1().Leases(testenv.OutputNamespace)
	now := metav1.NowMicro()
	if _, err := leases.Create(t.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "dynamic-toolset"},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("somebody else"), LeaseDurationSeconds: ptr.To[int32](3600), AcquireTime: &now, RenewTime: &now,
		},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	record := env.Record(t)
	p := start(t, env, "--set", "health.interval=500ms")
	p.answers(t, 10*time.Second, "/readyz", http.StatusOK)

	// The number of checks in a while, by the path that each asks for once.
	checks := func(d time.Duration) (n int) {
		t.Helper()
		from := len(b.Standin.Requests())
		testenv.Consistently(t, d, "it goes on", func() error {
			if !p.Running() {
				return fmt.Errorf("it has ended")
			}
			return nil
		})
		for _, r := range b.Standin.Requests()[from:] {
			if r.Path == "/-/healthy" {
				n++
			}
		}
		return n
	}
	const while = 8 * time.Second
	following := checks(while)
	if n := record.Len(); n > 0 {
		t.Errorf("a follower wrote %d times", n)
	}
	released, err := leases.Get(t.Context(), "dynamic-toolset", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	released.Spec.HolderIdentity, released.Spec.LeaseDurationSeconds = ptr.To(""), ptr.To[int32](1)
	if _, err := leases.Update(t.Context(), released, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	free := time.Now()
	published(t, env, "it takes the lease that is free", b.URL())
	t.Logf("published %s after the lease was free", ms(time.Since(free)))
	leading := checks(while)
	t.Logf("checks within %s, with an interval of 500 ms: %d as follower, %d as leader", while, following, leading)
	if following < 2 || following > 6 || leading < 12 || leading > 20 {
		t.Errorf("want about 4 and 16")
	}
}
