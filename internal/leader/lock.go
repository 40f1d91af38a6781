package leader

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyv1 "k8s.io/client-go/applyconfigurations/coordination/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

var (
	errNotOurs = errors.New("the lease is another's by now")
	errNotRead = errors.New("the lease has not been read yet")
)

// lock is the Lease, found free, as client-go's election wants it, for one try to get it and for as long as it is renewed.
// Every request is bounded in time and told to the elector.
type lock struct {
	elector *Elector
	lease   *coordinationv1.Lease // as last read or written; nil: there is none
	fresh   bool                  // it is as observed, and free
	held    bool                  // it was this replica's once
	taken   bool                  // it is another's by now
	over    context.CancelFunc    // ends client-go's election
}

func newLock(e *Elector, seen observation, over context.CancelFunc) *lock {
	l := &lock{elector: e, fresh: true, over: over}
	if !seen.deleted {
		l.lease = seen.lease
	}
	return l
}

func (e *Elector) leases() client.LeaseInterface {
	return e.client.Leases(e.options.Namespace)
}

// Identity of this replica.
func (l *lock) Identity() string { return l.elector.options.Identity }

// Describe names the Lease.
func (l *lock) Describe() string { return l.elector.options.Namespace + "/" + l.elector.options.Name }

// RecordEvent does nothing: the log says who leads, and so does the Lease.
func (l *lock) RecordEvent(string) {}

// Get reads the Lease. The first time it hands over what was observed, as free: client-go, which would observe it for the
// time of a lease once more, then takes it at once, by a write with the resourceVersion of what was observed.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if l.fresh {
		l.fresh = false
		return l.observed()
	}
	lease, err := l.elector.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	l.lease = lease
	if h := holder(lease); h != "" && h != l.Identity() {
		l.taken = true
		l.over() // to follow from now on, not from when this replica's own lease would have ended
	}
	return encoded(resourcelock.LeaseSpecToLeaderElectionRecord(&lease.Spec))
}

func (l *lock) observed() (*resourcelock.LeaderElectionRecord, []byte, error) {
	if l.lease == nil {
		return nil, nil, apierrors.NewNotFound(coordinationv1.Resource("leases"), l.elector.options.Name)
	}
	record := resourcelock.LeaseSpecToLeaderElectionRecord(&l.lease.Spec)
	if record.HolderIdentity != l.Identity() { // its own it has where the answer to the write that took it was lost
		record.HolderIdentity = ""
	}
	return encoded(record)
}

func encoded(record *resourcelock.LeaderElectionRecord) (*resourcelock.LeaderElectionRecord, []byte, error) {
	raw, err := json.Marshal(record)
	if err != nil {
		return nil, nil, err
	}
	return record, raw, nil
}

// Create creates the Lease by server-side apply. Where another replica was faster, its holder is another field manager's,
// and the apply is a conflict.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	ctx, cancel := l.elector.limit(ctx)
	defer cancel()
	start := time.Now()
	spec := resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	lease, err := l.elector.leases().Apply(ctx,
		applyv1.Lease(l.elector.options.Name, l.elector.options.Namespace).WithSpec(applyv1.LeaseSpec().
			WithHolderIdentity(*spec.HolderIdentity).
			WithLeaseDurationSeconds(*spec.LeaseDurationSeconds).
			WithAcquireTime(*spec.AcquireTime).
			WithRenewTime(*spec.RenewTime).
			WithLeaseTransitions(*spec.LeaseTransitions)),
		metav1.ApplyOptions{FieldManager: l.Identity()})
	return l.wrote(start, lease, err)
}

// Update renews the Lease, or releases it.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if l.lease == nil {
		return errNotRead
	}
	if record.HolderIdentity == "" && holder(l.lease) != l.Identity() {
		// client-go releases what it last believed to be its own, even where it has just read that another has taken over.
		return errNotOurs
	}
	ctx, cancel := l.elector.limit(ctx)
	defer cancel()
	start := time.Now()
	lease := l.lease.DeepCopy()
	lease.Spec = resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	lease, err := l.elector.leases().Update(ctx, lease, metav1.UpdateOptions{})
	return l.wrote(start, lease, err)
}

// wrote notes what came of a request that was sent at start.
func (l *lock) wrote(start time.Time, lease *coordinationv1.Lease, err error) error {
	l.elector.reached(err)
	if err != nil {
		if !l.held { // client-go would try again and again, with what is no longer so
			l.taken = apierrors.IsConflict(err)
			l.over()
		}
		return err
	}
	l.lease, l.held = lease, true
	if holder(lease) == l.Identity() {
		l.elector.renewed(start)
	} else {
		l.elector.saw(holder(lease))
	}
	return nil
}

func holder(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// limit keeps a request that hangs from costing the leadership: there is time for another.
func (e *Elector) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTimeout(e.options.RenewDeadline))
}

func requestTimeout(renewDeadline time.Duration) time.Duration {
	return max(renewDeadline/2, time.Second)
}

// ownConnection: client-go shares the connections of clients whose configurations are equal, which those with a dialer of
// their own are not; and with HTTP/1.1 a request that times out takes its connection with it.
func ownConnection(c *rest.Config) {
	if c.Dial == nil {
		dialer := &net.Dialer{Timeout: c.Timeout, KeepAlive: 30 * time.Second}
		c.Dial = dialer.DialContext
	}
	c.NextProtos = []string{"http/1.1"}
}

// quiet silences client-go's election, which logs each try; the elector logs changes.
func quiet(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }
