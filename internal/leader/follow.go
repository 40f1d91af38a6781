package leader

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// observation is the Lease as this replica saw it while it did not lead. Time counts from the answer that first showed a
// state, by the monotonic clock of this process: clocks of replicas need not agree, and may be set.
type observation struct {
	lease   *coordinationv1.Lease // as last read; nil before
	changed time.Time             // when an answer first showed its holder and times as they are
	deleted bool                  // since
}

// note takes in an answer that came now; nil says that there is no Lease. A change of labels and the like is no sign of life.
func (o *observation) note(lease *coordinationv1.Lease, now time.Time) {
	o.deleted = lease == nil
	if o.deleted {
		return
	}
	if o.lease == nil || !equality.Semantic.DeepEqual(o.lease.Spec, lease.Spec) {
		o.changed = now
	}
	o.lease = lease
}

// ends is when the Lease is free for identity unless it changes before; the zero time if it is free. A Lease that does not
// say how long it is respected is so for the given time. One that was deleted is for that time at most: its holder, which
// leads until it notices, makes a new one as soon as it does.
func (o *observation) ends(identity string, respected time.Duration) time.Time {
	if o.lease == nil || holder(o.lease) == "" || holder(o.lease) == identity {
		return time.Time{}
	}
	if s := o.lease.Spec.LeaseDurationSeconds; s != nil && *s > 0 {
		said := time.Duration(*s) * time.Second
		if !o.deleted || said < respected {
			respected = said
		}
	}
	return o.changed.Add(respected)
}

// follow reads the Lease until it is free. It returns false when ctx ends before.
//
// It is judged by an answer whose request was sent after the end of the lease: what a process that was paused finds in its
// buffers when it wakes is older, and so is what it remembers. That nothing changes between the answer and the write is
// ensured by the resourceVersion, which the write carries.
func (e *Elector) follow(ctx context.Context, seen *observation) bool {
	for ctx.Err() == nil {
		sent := time.Now()
		lease, err := e.read(ctx)
		if err == nil || apierrors.IsNotFound(err) {
			seen.note(lease, time.Now())
			if !sent.Before(seen.ends(e.options.Identity, e.options.LeaseDuration)) {
				return true
			}
		}
		wait := e.options.readInterval()
		if left := time.Until(seen.ends(e.options.Identity, e.options.LeaseDuration)); left > 0 {
			wait = min(wait, left)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return false
}

// readInterval is how long a follower waits between two reads. What it adds to a takeover, with the requests, is to stay
// within a twentieth of the lease duration and half a second.
func (o *Options) readInterval() time.Duration {
	return min(o.LeaseDuration/20, 500*time.Millisecond) * 9 / 10
}

// read reads the Lease and notes who leads. The Lease is nil if there is an error.
func (e *Elector) read(ctx context.Context) (*coordinationv1.Lease, error) {
	ctx, cancel := e.limit(ctx)
	defer cancel()
	lease, err := e.leases().Get(ctx, e.options.Name, metav1.GetOptions{})
	e.reached(err)
	if apierrors.IsNotFound(err) {
		e.lost("the lease was deleted") // whoever creates it leads
	}
	if err != nil {
		return nil, err
	}
	e.saw(holder(lease))
	return lease, nil
}
