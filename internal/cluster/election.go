package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	applyv1 "k8s.io/client-go/applyconfigurations/coordination/v1"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/logging"
)

// ElectionOptions configure an Elector.
type ElectionOptions struct {
	Lease         backend.Ref
	Identity      string        // of this replica; see Identity
	LeaseDuration time.Duration // how long a lease that is not renewed is respected; counted in whole seconds
	RenewDeadline time.Duration // how long this replica tries to renew; it leads during that time
	RetryPeriod   time.Duration // between renewals, and before another try after a failure
	Log           *slog.Logger
}

// Elector elects the replica that writes, with a Lease. It follows the rules of client-go's leader election, and the
// two can compete for one Lease: the holder renews it, and another replica takes it when the lease has not changed for
// its duration by that replica's own clock. client-go's package is not used, because it brings the informers and
// listers of all of Kubernetes' types into the build, which take a third of its time.
//
// A replica that loses the lease takes part in the election again. A term ends by the clock before another replica may
// take over, even if this replica was paused or cut off. That clock stands still while a machine is suspended: until
// its next request, such a replica may believe that it leads. All methods but Run are safe for concurrent use.
type Elector struct {
	options ElectionOptions
	leases  coordinationclient.LeaseInterface
	term    time.Duration // how long this replica leads without renewing
	changed chan struct{}

	mu       sync.Mutex
	until    time.Time // when leading ends, unless the lease is renewed
	reported logging.Condition[bool]
	terms    int // how often this replica has begun to lead

	// Only Run uses these.
	lease     *coordinationv1.Lease // as last read or written; nil if there was none
	since     time.Time             // since when this replica has seen no change of it
	holder    string                // who was last seen to hold it, even if it was deleted afterwards
	respected time.Time             // until when the holder may still lead if the Lease is deleted
	unsure    bool                  // the last write failed, and may have arrived nevertheless
	failing   string                // the request that fails: "read" or "write"; "" if none does
	reason    metav1.StatusReason   // why it fails
}

// NewElector returns an Elector. The options must be valid: the configuration checks the times (config,
// validator.leaderElection).
func NewElector(client coordinationclient.LeasesGetter, o ElectionOptions) *Elector {
	o.LeaseDuration = o.LeaseDuration.Truncate(time.Second) // because a Lease has whole seconds
	return &Elector{
		options: o, leases: client.Leases(o.Lease.Namespace), changed: make(chan struct{}, 1),
		// client-go compares renewals by the second, so that it may see a renewal up to a second late.
		term: min(o.RenewDeadline, o.LeaseDuration-time.Second),
	}
}

// jitter is by how much a wait may be longer than the retry period, as a part of it, so that replicas that started
// together do not send their requests together.
const jitter = 0.2

// Leading reports whether this replica may write. It must be called right before each write. A write that is in flight
// when the term ends is fenced by its resourceVersion.
func (e *Elector) Leading() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leading("the lease was not renewed in time")
}

// Term returns how often this replica has begun to lead. If it has grown, another replica may have led in between, even
// if Leading was true before and is now.
func (e *Elector) Term() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.terms
}

// leading returns whether this replica leads, and reports a change in the log and on the channel. If a caller of
// Leading got false after a pause, it is notified when the lease is renewed. The caller holds mu.
func (e *Elector) leading(reason string) bool {
	leading := time.Now().Before(e.until)
	if !e.reported.Changed(leading) {
		return leading
	}
	if leading {
		e.terms++
		e.options.Log.Info("this replica leads", "identity", e.options.Identity)
	} else {
		e.options.Log.Info("this replica no longer leads", "reason", reason)
	}
	select {
	case e.changed <- struct{}{}:
	default:
	}
	return leading
}

// Changed returns a channel that receives a value after Leading has changed. Changes that were not received yet are
// merged into one.
func (e *Elector) Changed() <-chan struct{} { return e.changed }

// Run takes part in elections until ctx ends. Then this replica stops leading and releases the lease. ctx must end
// after the last write.
func (e *Elector) Run(ctx context.Context) {
	wait.JitterUntilWithContext(ctx, e.try, e.options.RetryPeriod, jitter, true)
	e.release() //nolint:contextcheck // ctx has ended
}

// lead records until when this replica leads. reason is logged if it no longer leads.
func (e *Elector) lead(until time.Time, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.until = until
	e.leading(reason)
}

// try renews the lease of this replica. If another replica holds the lease, it takes it once the lease has run out.
func (e *Elector) try(ctx context.Context) {
	defer func() {
		if r := recover(); r != nil { // a fault in a library must end neither the process nor the election
			e.lead(time.Time{}, "the election panicked")
			e.options.Log.Error("leader election panicked", "err", fmt.Sprint(r))
		}
	}()
	defer e.Leading() // reports the end of a term that was not renewed
	if e.mine() && e.take(ctx) == nil {
		return // renewed, without reading it first
	}
	asked := time.Now() // before the request: if the process is paused meanwhile, this replica has not looked
	err := e.read(ctx)
	free := e.mine() || e.lease == nil && asked.After(e.respected) || e.lease != nil && e.expired(asked)
	if err == nil && free {
		_ = e.take(ctx) // has been reported
	}
}

// mine reports whether this replica held the lease when it was last read or written.
func (e *Elector) mine() bool { return e.lease != nil && holderOf(e.lease) == e.options.Identity }

func holderOf(lease *coordinationv1.Lease) string { return ptr.Deref(lease.Spec.HolderIdentity, "") }

// expired reports whether nobody holds the lease, or its holder has not renewed it for its duration. Only this
// replica's clock counts, not the times in the Lease.
func (e *Elector) expired(now time.Time) bool {
	duration := time.Duration(ptr.Deref(e.lease.Spec.LeaseDurationSeconds, 0)) * time.Second
	return holderOf(e.lease) == "" || !e.since.Add(duration).After(now)
}

// read reads the Lease. A Lease that does not exist is not an error.
func (e *Elector) read(ctx context.Context) error {
	lease, err := e.leases.Get(ctx, e.options.Lease.Name, metav1.GetOptions{})
	switch e.report("read", err, apierrors.IsNotFound(err)); {
	case apierrors.IsNotFound(err):
		e.lease, e.unsure = nil, false
		e.lead(time.Time{}, "the lease was deleted") // the replica that creates it leads
		return nil
	case err != nil:
		return err
	}
	e.keep(lease)
	return nil
}

// keep records the Lease as it is now.
func (e *Elector) keep(lease *coordinationv1.Lease) {
	before, holder := e.holder, holderOf(lease)
	if e.lease == nil || !equality.Semantic.DeepEqual(e.lease.Spec, lease.Spec) {
		e.since = time.Now()
		if holder != "" && holder != e.options.Identity {
			e.report("write", nil, false) // another renews it, so this replica has nothing to write
		}
	}
	e.lease, e.unsure, e.holder, e.respected = lease, false, holder, time.Time{}
	if holder == e.options.Identity {
		return
	}
	e.lead(time.Time{}, "another replica has the lease")
	if holder == "" {
		return
	}
	e.respected = time.Now().Add(e.options.LeaseDuration)
	if holder != before {
		e.options.Log.Info("another replica leads", "identity", holder)
	}
}

// take writes this replica as the holder of the Lease: it renews, takes or creates it. This replica then leads for a
// term, which is counted from before the request.
func (e *Elector) take(ctx context.Context) error {
	start := time.Now()
	spec := coordinationv1.LeaseSpec{AcquireTime: &metav1.MicroTime{Time: start}, LeaseTransitions: ptr.To[int32](0)}
	if e.lease != nil {
		spec = *e.lease.Spec.DeepCopy()
		if !e.mine() {
			spec.AcquireTime = &metav1.MicroTime{Time: start}
			spec.LeaseTransitions = ptr.To(ptr.Deref(spec.LeaseTransitions, 0) + 1)
		}
	}
	spec.HolderIdentity, spec.RenewTime = &e.options.Identity, &metav1.MicroTime{Time: start}
	spec.LeaseDurationSeconds = ptr.To(int32(e.options.LeaseDuration / time.Second))
	err := e.write(ctx, spec)
	if err == nil {
		e.lead(start.Add(e.term), "the response came too late")
	}
	return err
}

// release gives up the lease, so that another replica need not wait until it has run out.
func (e *Elector) release() {
	ctx, cancel := context.WithTimeout(context.Background(), e.options.RenewDeadline)
	defer cancel()
	e.lead(time.Time{}, "the lease is released")
	for range releaseTries {
		// A write that was cancelled, or whose response was lost, may have arrived nevertheless.
		if e.unsure && e.read(ctx) != nil {
			continue
		}
		if !e.mine() {
			return
		}
		spec := *e.lease.Spec.DeepCopy()
		spec.HolderIdentity, spec.RenewTime = ptr.To(""), ptr.To(metav1.NowMicro())
		spec.LeaseDurationSeconds = ptr.To[int32](1)
		if e.write(ctx, spec) == nil {
			return
		}
	}
}

// releaseTries is how often the release of a lease is tried before the process ends.
const releaseTries = 3

// write writes the Lease, based on what was last read or written. A new Lease is created by server-side apply. Unlike a
// create, an apply has the name in its URL, so that a Role can limit it to one Lease. If another replica was faster,
// the apply is a conflict, because the holder belongs to that replica's field manager.
func (e *Elector) write(ctx context.Context, spec coordinationv1.LeaseSpec) error {
	var lease *coordinationv1.Lease
	var err error
	expected := apierrors.IsConflict // a lost race
	if e.lease != nil {
		expected = func(err error) bool { return apierrors.IsConflict(err) || apierrors.IsNotFound(err) } // or deleted
		lease = e.lease.DeepCopy()
		lease.Spec = spec
		lease, err = e.leases.Update(ctx, lease, metav1.UpdateOptions{})
	} else {
		o := e.options
		lease, err = e.leases.Apply(ctx, applyv1.Lease(o.Lease.Name, o.Lease.Namespace).WithSpec(
			&applyv1.LeaseSpecApplyConfiguration{
				HolderIdentity: spec.HolderIdentity, LeaseDurationSeconds: spec.LeaseDurationSeconds,
				AcquireTime: spec.AcquireTime, RenewTime: spec.RenewTime, LeaseTransitions: spec.LeaseTransitions,
			}), metav1.ApplyOptions{FieldManager: o.Identity})
	}
	e.report("write", err, expected(err))
	if e.unsure = err != nil; err == nil {
		e.keep(lease)
	}
	return err
}
