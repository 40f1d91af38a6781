//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"syscall"
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
	t.Attr("req", "DTS-RUN-2 DTS-RUN-3 DTS-PRB-6")
	env := testenv.Shared(t)
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
	must(t, err)
	released.Spec.HolderIdentity, released.Spec.LeaseDurationSeconds = ptr.To(""), ptr.To[int32](1)
	if _, err := leases.Update(t.Context(), released, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	free := time.Now()
	leads(t, env, 2*time.Second, "") // it looks every 0.2 to 0.44 s
	led := time.Since(free)
	published(t, env, "it takes the lease that is free", b.URL())
	t.Logf("after the lease was free it led within %s, and had published within %s", ms(led), ms(time.Since(free)))
	leading := checks(while)
	t.Logf("checks within %s, with an interval of 500 ms: %d as follower, %d as leader", while, following, leading)
	if following < 2 || following > 6 || leading < 12 || leading > 20 {
		t.Errorf("want about 4 and 16")
	}
}

// A follower that was paused for longer than the lease has seen no renewal for as long, and has not looked either: it leaves
// the leader alone. Then the leader is killed, and it takes over within a lease duration after the lease ends.
func TestReplicaFollowerPaused(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	env := testenv.Shared(t)
	all := newReplicas(t, env)
	url := env.Create(t, prometheusService("monitoring", "prometheus")).URL()
	list := []*replica{all.add(t), all.add(t)}
	published(t, env, "all is published", url)
	leader := all.leader(t, list)
	follower := list[1-slices.Index(list, leader)]
	follower.answers(t, 10*time.Second, "/readyz", http.StatusOK)
	was := holder(t, env)
	for range 5 {
		follower.Signal(t, syscall.SIGSTOP)
		testenv.Consistently(t, leaseDuration*3/2, "the leader leads", func() error { return heldBy(t, env, was) })
		follower.Signal(t, syscall.SIGCONT)
		testenv.Consistently(t, leaseDuration/2, "it still does", func() error { return heldBy(t, env, was) })
	}
	if n := all.claimed(follower); n > 0 {
		t.Errorf("the follower tried to take the lease %d times", n)
	}
	killed := time.Now()
	_ = syscall.Kill(leader.PID(), syscall.SIGKILL)
	leads(t, env, leaseDuration+5*time.Second, was)
	if took := time.Since(killed); took > 2*leaseDuration {
		t.Errorf("it took over after %s, want at most %s", took, 2*leaseDuration)
	}
}

func heldBy(t *testing.T, env *testenv.Env, who string) error {
	t.Helper()
	if h := holder(t, env); h != who {
		return fmt.Errorf("the lease is held by %q, not %q", h, who)
	}
	return nil
}
