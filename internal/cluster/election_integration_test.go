//go:build integration

package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

const (
	leaseName     = "dynamic-toolset"
	leaseDuration = 3 * time.Second
)

// leaseAccount is a ServiceAccount with the shipped rights on the Lease: by its name, creating it included.
func leaseAccount(t *testing.T, env *testenv.Env) (kubeconfig string) {
	t.Helper()
	kubeconfig = env.ServiceAccount(t, testenv.OutputNamespace, leaseName)
	rule := testenv.Rule("coordination.k8s.io", "leases", "get", "create", "update", "patch")
	rule.ResourceNames = []string{leaseName}
	env.Grant(t, testenv.OutputNamespace, testenv.OutputNamespace, leaseName, rule)
	return kubeconfig
}

// join starts a replica. The times are short, but whole seconds as the Lease wants them.
func join(t *testing.T, kubeconfig, identity string) *replica {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	leases, err := LeaseClient(config, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{log: &replicaLog{}}
	r.Elector = NewElector(leases, ElectionOptions{
		Lease: backend.Ref{Namespace: testenv.OutputNamespace, Name: leaseName}, Identity: identity,
		LeaseDuration: leaseDuration, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	r.stop = elect(t, r.Elector)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s logged\n%s", identity, &r.log.b)
		}
	})
	return r
}

func leads(r *replica, want bool) func() error {
	return func() error {
		if r.Leading() != want {
			return fmt.Errorf("leading: %v", !want)
		}
		return nil
	}
}

// one waits until one of the replicas leads, and returns it.
func one(t *testing.T, within time.Duration, replicas ...*replica) (leader *replica) {
	t.Helper()
	testenv.Eventually(t, within, "one replica leads", func() error {
		leader = nil
		for _, r := range replicas {
			if r.Leading() && leader != nil {
				t.Fatal("two replicas lead at once")
			}
			if r.Leading() {
				leader = r
			}
		}
		if leader == nil {
			return errors.New("none")
		}
		return nil
	})
	return leader
}

// On a real API server, with the least rights: several replicas create the Lease at once, one stops, one is cut off,
// the Lease is taken and deleted, the API server is killed.
func TestElectionRealAPIServer(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-5 DTS-SEC-1")
	env := testenv.Start(t)
	kubeconfig := leaseAccount(t, env)
	leases := env.Client.CoordinationV1().Leases(testenv.OutputNamespace)

	all := []*replica{join(t, kubeconfig, "a"), join(t, kubeconfig, "b"), join(t, kubeconfig, "c")}
	leader := one(t, 10*time.Second, all...)
	testenv.Consistently(t, 5*time.Second, "the same replica leads", func() error {
		if r := one(t, time.Second, all...); r != leader {
			return fmt.Errorf("%s leads in the place of %s", r.options.Identity, leader.options.Identity)
		}
		return nil
	})

	holder := func() string {
		t.Helper()
		lease, err := leases.Get(t.Context(), leaseName, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return ptr.Deref(lease.Spec.HolderIdentity, "")
	}

	// A stop releases the Lease: no waiting for its end.
	leader.stop()
	released := time.Now()
	if h := holder(); h == leader.options.Identity {
		t.Errorf("the lease is held by %q after the stop", h)
	}
	rest := make([]*replica, 0, 2)
	for _, r := range all {
		if r != leader {
			rest = append(rest, r)
		}
	}
	leader = one(t, time.Second, rest...)
	t.Logf("released: taken over after %s", time.Since(released).Round(time.Millisecond))

	// Someone else takes it and does not renew it.
	var taken time.Time
	testenv.Eventually(t, 5*time.Second, "the lease is taken", func() error {
		lease, err := leases.Get(t.Context(), leaseName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		lease.Spec.HolderIdentity = ptr.To("someone else")
		taken = time.Now()
		_, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{})
		return err
	})
	testenv.Eventually(t, 2*time.Second, "the leader notices", leads(leader, false))
	leader = one(t, 10*time.Second, rest...)
	took := time.Since(taken)
	t.Logf("not renewed: taken over after %s of %s", took.Round(time.Millisecond), leaseDuration)
	if took < leaseDuration || took > 2*leaseDuration {
		t.Errorf("taken over after %s", took)
	}

	// Deleted: its leader makes it again, as the other, which has seen who leads, respects it for as long as it was
	// good.
	testenv.Consistently(t, time.Second, "the same replica leads", func() error { return leads(leader, true)() })
	if err := leases.Delete(t.Context(), leaseName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, 5*time.Second, "the lease is back, and its holder alone leads", func() error {
		lease, err := leases.Get(t.Context(), leaseName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, r := range rest {
			if r.Leading() != (ptr.Deref(lease.Spec.HolderIdentity, "") == r.options.Identity) {
				return fmt.Errorf("%s leading: %v, while %s has the lease", r.options.Identity, r.Leading(), ptr.Deref(lease.Spec.HolderIdentity, ""))
			}
		}
		return nil
	})
	if r := one(t, 10*time.Second, rest...); r != leader {
		t.Errorf("%s leads, and %s did", r.options.Identity, leader.options.Identity)
	}

	// The API server hangs, then dies, then comes back.
	env.APIServer.Pause(t)
	testenv.Eventually(t, 2500*time.Millisecond, "the leader stops to lead", leads(leader, false))
	env.APIServer.Resume(t)
	leader = one(t, 15*time.Second, rest...)
	env.APIServer.Kill(t)
	testenv.Eventually(t, 2500*time.Millisecond, "the leader stops to lead", leads(leader, false))
	env.APIServer.Start(t)
	leader = one(t, 15*time.Second, rest...)

	for _, r := range rest {
		r.stop()
	}
	if h := holder(); h != "" {
		t.Errorf("the lease is held by %q after the stop", h)
	}
}

// client-go's election follows the same rules: the two take the Lease from each other, and never lead at once.
func TestElectionBesideClientGo(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	env := testenv.Start(t)
	kubeconfig := leaseAccount(t, env)
	var theirs atomic.Bool
	theirsStart := func() (stop func()) {
		e, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Namespace: testenv.OutputNamespace, Name: leaseName},
				Client:     env.Client.CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: "client-go"},
			},
			LeaseDuration: leaseDuration, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
			ReleaseOnCancel: true, Name: leaseName,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { theirs.Store(true) },
				OnStoppedLeading: func() { theirs.Store(false) },
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { e.Run(ctx) })
		return func() {
			cancel()
			running.Wait()
		}
	}
	theirsLeads := func() error {
		if !theirs.Load() {
			return errors.New("it does not lead")
		}
		return nil
	}

	stop := theirsStart()
	testenv.Eventually(t, 10*time.Second, "client-go's leads", theirsLeads)
	ours := join(t, kubeconfig, "ours")
	testenv.Consistently(t, 2*leaseDuration, "ours follows", leads(ours, false))
	stop() // and release
	testenv.Eventually(t, 2*time.Second, "ours leads", leads(ours, true))
	stop = theirsStart()
	defer func() { stop() }()
	testenv.Consistently(t, 2*leaseDuration, "client-go's follows", func() error {
		if theirs.Load() {
			return errors.New("it leads")
		}
		return leads(ours, true)()
	})
	ours.stop() // and release
	testenv.Eventually(t, 2*time.Second, "client-go's leads", theirsLeads)
}
