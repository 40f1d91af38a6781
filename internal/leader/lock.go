package leader

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyv1 "k8s.io/client-go/applyconfigurations/coordination/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var (
	errNotOurs   = errors.New("the lease is another replica's")
	errRespected = errors.New("the lease was deleted, and its holder may still lead")
)

// lock is the Lease as client-go's election wants it. The elector learns from it who leads as soon as that is read or written.
type lock struct {
	elector *Elector
	lease   *coordinationv1.Lease // as last read or written
	ends    time.Time             // when the replica that was last seen to hold the Lease leads no longer
}

func (l *lock) leases() client.LeaseInterface {
	return l.elector.client.Leases(l.elector.options.Namespace)
}

// Identity of this replica.
func (l *lock) Identity() string { return l.elector.options.Identity }

// Describe names the Lease.
func (l *lock) Describe() string { return l.elector.options.Namespace + "/" + l.elector.options.Name }

// RecordEvent does nothing: the log says who leads, and so does the Lease.
func (l *lock) RecordEvent(string) {}

// Get reads the Lease. Of the text client-go only asks whether it has changed; its own lock cuts times to seconds there, so
// that it misses renewals.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	lease, err := l.leases().Get(ctx, l.elector.options.Name, metav1.GetOptions{})
	l.elector.reached(err)
	if apierrors.IsNotFound(err) {
		l.elector.end("the lease was deleted") // the replica that creates it leads
	}
	if err != nil {
		return nil, nil, err
	}
	l.keep(lease)
	text, err := json.Marshal(&lease.Spec)
	return resourcelock.LeaseSpecToLeaderElectionRecord(&lease.Spec), text, err
}

// Create creates the Lease by server-side apply: the request carries the name, so that a Role can limit even that to one
// Lease. Where another replica was faster, its holder is another field manager's, and the apply is a conflict.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	start := time.Now()
	if start.Before(l.ends) {
		return errRespected
	}
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

// Update takes, renews or releases the Lease. This replica stops to lead before it releases.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity == "" {
		if holder(l.lease) != l.Identity() {
			return errNotOurs // client-go releases what it believes to be its own, even where it has just read otherwise
		}
		l.elector.end("the lease is released")
	}
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
	l.keep(lease)
	if holder(lease) == l.Identity() {
		l.elector.leads(start.Add(l.elector.options.RenewDeadline))
	}
	return nil
}

// keep notes the Lease as it is.
func (l *lock) keep(lease *coordinationv1.Lease) {
	was, is := holder(l.lease), holder(lease)
	l.lease, l.ends = lease, time.Time{}
	if is == l.Identity() {
		return
	}
	l.elector.end("another replica has the lease")
	if is == "" {
		return
	}
	l.ends = time.Now().Add(l.elector.options.LeaseDuration)
	if is != was {
		l.elector.options.Log.Info("another replica leads", "identity", is)
	}
}

func holder(lease *coordinationv1.Lease) string {
	if lease == nil || lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}
