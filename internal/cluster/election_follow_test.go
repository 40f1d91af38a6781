package cluster

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// takeover is the longest time from the last renewal until another leads: it sees the renewal late, and the end of the
// lease.
const takeover = 15*time.Second + 2*look

// leads waits until a replica leads and says how long it took since a time. It looks at nothing but what it is told.
func (r *replica) leads(t *testing.T, since time.Time, limit time.Duration) time.Duration {
	t.Helper()
	end := time.After(time.Until(since.Add(limit)))
	for !r.Leading() {
		select {
		case <-r.Changed():
		case <-end:
			t.Fatalf("%s does not lead %s after it could have to\n%s", r.options.Identity, limit, &r.log.b)
		}
	}
	return time.Since(since)
}

// kill has all its requests from now on fail, and waits until those before have arrived.
func (r *replica) kill() {
	r.access.set(func(x *leaseAccess) { x.err = errors.New("killed") })
	<-time.After(2 * roundTrip)
}

func (r *replica) writes() int {
	r.access.mu.Lock()
	defer r.access.mu.Unlock()
	return r.access.writes
}

// A leader that was killed is replaced within a lease duration after its lease has run out, whenever that happens in
// the course of things, with no write in vain; and not before it has stopped to lead, as renewals within a second look
// the same.
func TestKilled(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	for _, times := range []struct{ lease, deadline, retry time.Duration }{
		{15 * time.Second, 10 * time.Second, 2 * time.Second},
		{60 * time.Second, 40 * time.Second, 7 * time.Second},
		{2 * time.Second, 1500 * time.Millisecond, 200 * time.Millisecond}, // several renewals within a second
	} {
		t.Run(times.lease.String(), func(t *testing.T) {
			var longest time.Duration
			for phase := range 40 {
				synctest.Test(t, func(t *testing.T) {
					server := &leaseServer{}
					with := func(identity string) *replica {
						o := electionOptions(identity)
						o.LeaseDuration, o.RenewDeadline, o.RetryPeriod = times.lease, times.deadline, times.retry
						return startWith(t, server, o)
					}
					a := with("a")
					a.leads(t, time.Now(), time.Second)
					b := with("b")
					<-time.After(5*times.retry + time.Duration(phase)*times.retry/40)
					if n := b.writes(); n > 0 {
						t.Errorf("the follower wrote %d times", n)
					}
					a.kill()
					took := b.leads(t, server.written(), min(2*times.lease, times.lease+5*times.retry))
					if took < times.lease && times.retry >= time.Second || took < times.lease-time.Second {
						t.Errorf("phase %d: took over %s after the last renewal, while the lease was good", phase, took)
					}
					if n := b.writes(); n > 1 {
						t.Errorf("took over with %d writes", n)
					}
					longest = max(longest, took)
				})
			}
			t.Logf("lease %s: taken over after %s at most", times.lease, longest)
		})
	}
}

// What was seen counts on when the write that takes the lease fails. When another takes it, later failures are reported
// as well.
func TestTakeoverRefused(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-5")
	for _, taken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server, a, b := pair(t)
			b.access.set(func(x *leaseAccess) { x.refuse = errors.New("etcd is slow") })
			a.kill()
			<-time.After(takeover + 10*time.Second)
			if n := b.writes(); b.Leading() || n < 1 || n > 10 {
				t.Errorf("leads: %v; tried %d times, want no more than one try in a retry period", b.Leading(), n)
			}
			if n := b.log.count("level=WARN"); n != 1 {
				t.Errorf("logged %d warnings, want 1:\n%s", n, &b.log.b)
			}
			if !taken {
				b.access.set(func(x *leaseAccess) { x.refuse = nil })
				b.leads(t, time.Now(), look)
				return
			}
			server.take("c")
			<-time.After(look)
			if b.log.count("level=WARN") != 1 || b.log.count("lease reachable again") != 1 {
				t.Errorf("logged, want one failure that is over:\n%s", &b.log.b)
			}
			b.access.set(func(x *leaseAccess) { x.err = errors.New("connection refused") })
			<-time.After(time.Minute)
			if b.log.count("level=WARN") != 2 {
				t.Errorf("logged, want a second failure:\n%s", &b.log.b)
			}
		})
	}
}

// While the API server is away nothing is known to have changed; what counts is what it says when it is back.
func TestAwayWhileFollowing(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-5")
	for name, cut := range map[string]func(*leaseAccess){
		"refused": func(x *leaseAccess) { x.err = errors.New("connection refused") },
		"hangs":   func(x *leaseAccess) { x.hang = true },
	} {
		for _, killed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, a, b := pair(t)
					b.access.set(cut)
					if killed {
						a.kill()
					}
					<-time.After(time.Minute)
					if n := b.writes(); b.Leading() || n > 0 {
						t.Fatalf("leads, or has written %d times, by what it has not read", n)
					}
					b.access.set(func(x *leaseAccess) { x.err, x.hang = nil, false })
					back := time.Now()
					if killed {
						b.leads(t, back, 5*time.Second+takeover) // a request that hangs may take five seconds
						return
					}
					<-time.After(time.Minute)
					if n := b.writes(); b.Leading() || !a.Leading() || n > 0 {
						t.Errorf("a leads: %v, b leads: %v, and has written %d times", a.Leading(), b.Leading(), n)
					}
				})
			})
		}
	}
}

// Of a Lease that another program holds, only that it changes is believed, not the times that it carries.
func TestForeignHolder(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	spec := func(change func(*coordinationv1.LeaseSpec)) func(*coordinationv1.Lease) {
		return func(l *coordinationv1.Lease) {
			l.Spec.HolderIdentity = ptr.To("somebody else")
			change(&l.Spec)
		}
	}
	renewed := func(ago time.Duration) func(*coordinationv1.LeaseSpec) {
		return func(s *coordinationv1.LeaseSpec) {
			s.LeaseDurationSeconds = ptr.To[int32](15)
			s.RenewTime = ptr.To(metav1.NewMicroTime(time.Now().Add(-ago)))
		}
	}
	for name, test := range map[string]struct {
		hold func(*coordinationv1.Lease)
		want time.Duration // from the first look
	}{
		"no times":           {spec(func(*coordinationv1.LeaseSpec) {}), 0},
		"only a duration":    {spec(func(s *coordinationv1.LeaseSpec) { s.LeaseDurationSeconds = ptr.To[int32](60) }), time.Minute},
		"a short duration":   {spec(func(s *coordinationv1.LeaseSpec) { s.LeaseDurationSeconds = ptr.To[int32](3) }), 3 * time.Second},
		"its clock is late":  {spec(renewed(time.Hour)), 15 * time.Second},
		"its clock is early": {spec(renewed(-time.Hour)), 15 * time.Second},
		"nobody":             {func(*coordinationv1.Lease) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &leaseServer{}
				server.edit(test.hold)
				begun := time.Now()
				b := start(t, server, "b")
				if took := b.leads(t, begun, test.want+look+10*roundTrip); took < test.want {
					t.Errorf("took it after %s, want %s", took, test.want)
				}
			})
		})
	}
}

// A Lease that changes is another's for as long as it does: its times, that is, not its labels.
func TestChangesWhileFollowing(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		server := &leaseServer{}
		server.edit(func(l *coordinationv1.Lease) {
			l.Spec.HolderIdentity, l.Spec.LeaseDurationSeconds = ptr.To("somebody else"), ptr.To[int32](15)
		})
		b := start(t, server, "b")
		for range 40 {
			<-time.After(14500 * time.Millisecond)
			server.edit(func(l *coordinationv1.Lease) { l.Spec.RenewTime = ptr.To(metav1.NowMicro()) })
		}
		last := server.written()
		if n := b.writes(); b.Leading() || n > 0 {
			t.Fatalf("leads %v, and has written %d times, while another renews", b.Leading(), n)
		}
		for range 5 {
			<-time.After(2 * time.Second)
			server.edit(func(l *coordinationv1.Lease) { l.Labels = map[string]string{"at": time.Now().String()} })
		}
		if took := b.leads(t, last, takeover); took < 15*time.Second {
			t.Errorf("took over after %s", took)
		}
	})
}
