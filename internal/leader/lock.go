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

// lock is the Lease as client-go's election wants it. Every request is bounded in time and told to the elector.
type lock struct {
	elector *Elector
	lease   *coordinationv1.Lease // as last read or written; nil before
}

func newLock(e *Elector) *lock { return &lock{elector: e} }

func (l *lock) leases() client.LeaseInterface {
	return l.elector.client.Leases(l.elector.options.Namespace)
}

// Identity of this replica.
func (l *lock) Identity() string { return l.elector.options.Identity }

// Describe names the Lease.
func (l *lock) Describe() string { return l.elector.options.Namespace + "/" + l.elector.options.Name }

// RecordEvent does nothing: the log says who leads, and so does the Lease.
func (l *lock) RecordEvent(string) {}

// Get reads the Lease.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	ctx, cancel := l.limit(ctx)
	defer cancel()
	lease, err := l.leases().Get(ctx, l.elector.options.Name, metav1.GetOptions{})
	l.elector.reached(err)
	if apierrors.IsNotFound(err) {
		l.elector.lost("the lease was deleted") // whoever creates it leads
	}
	if err != nil {
		return nil, nil, err
	}
	l.lease = lease
	record := resourcelock.LeaseSpecToLeaderElectionRecord(&lease.Spec)
	raw, err := json.Marshal(record)
	if err != nil {
		return nil, nil, err
	}
	l.elector.saw(record.HolderIdentity)
	return record, raw, nil
}

// Create creates the Lease by server-side apply. Where another replica was faster, its holder is another field manager's,
// and the apply is a conflict.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	ctx, cancel := l.limit(ctx)
	defer cancel()
	start := time.Now()
	spec := resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	lease, err := l.leases().Apply(ctx,
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
	ctx, cancel := l.limit(ctx)
	defer cancel()
	start := time.Now()
	lease := l.lease.DeepCopy()
	lease.Spec = resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	lease, err := l.leases().Update(ctx, lease, metav1.UpdateOptions{})
	return l.wrote(start, lease, err)
}

// wrote notes what came of a request that was sent at start.
func (l *lock) wrote(start time.Time, lease *coordinationv1.Lease, err error) error {
	l.elector.reached(err)
	if err != nil {
		return err
	}
	l.lease = lease
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
func (l *lock) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTimeout(l.elector.options.RenewDeadline))
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
