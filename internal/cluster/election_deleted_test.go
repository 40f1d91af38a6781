package cluster

import (
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// A Lease is respected when it is deleted: its holder leads until it notices.
func TestDeletedWhileFollowing(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	for name, says := range map[string]time.Duration{ // how long to respect it
		"a replica's": 15 * time.Second, "one for a day": 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, a, b := pair(t)
				a.kill()
				server.edit(func(l *coordinationv1.Lease) {
					l.Spec.HolderIdentity, l.Spec.RenewTime = ptr.To("c"), ptr.To(metav1.NowMicro())
					l.Spec.LeaseDurationSeconds = ptr.To(int32(says / time.Second))
				})
				last := server.written()
				within(t, look, "it is seen", func() bool { return b.sees("c") })
				server.remove()
				if took := b.leads(t, last, takeover); took < 15*time.Second {
					t.Errorf("led after %s", took)
				}
			})
		})
	}
}

// The leader of a Lease that was deleted makes a new one, and goes on leading.
func TestDeletedWhileLed(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	for phase := range 20 {
		synctest.Test(t, func(t *testing.T) {
			server, a, b := pair(t)
			<-time.After(time.Duration(phase) * 100 * time.Millisecond)
			server.remove()
			<-time.After(time.Minute)
			if b.log.count(`"this replica leads"`) > 0 || !a.Leading() || server.holder() != "a" {
				t.Errorf("phase %d: the lease is held by %q, and a leads: %v", phase, server.holder(), a.Leading())
			}
		})
	}
}
