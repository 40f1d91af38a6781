package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	applyv1 "k8s.io/client-go/applyconfigurations/coordination/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

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

// Elector elects the replica that writes, with a Lease and client-go's election. It adds two things. After a loss it
// takes part in the election again, until the process ends. And a term ends by the clock before another replica may
// take over, even if this replica was paused or cut off. Its methods are safe for concurrent use.
type Elector struct {
	options ElectionOptions
	term    time.Duration // how long this replica leads without renewing
	lock    *lock
	changed chan struct{}

	mu       sync.Mutex
	until    time.Time // when leading ends, unless the lease is renewed
	reported logging.Condition[bool]
}

// Identity returns a unique name for this process: the host's name, which people know, and a random part.
func Identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "_" + uuid.NewString()
}

// LeaseClient returns a client for the Lease with a separate connection, so that neither a rate limit nor a large
// transfer delays a renewal. The client has its own dialer, because client-go shares connections between clients with
// equal configurations otherwise. It uses HTTP/1.1, with which a request that times out closes its connection: a
// connection that hangs is replaced while there is still time for another request.
func LeaseClient(config *rest.Config, renewDeadline time.Duration) (coordinationv1.LeasesGetter, error) {
	c := rest.CopyConfig(config)
	c.Timeout = leaseTimeout(renewDeadline)
	c.RateLimiter, c.QPS, c.Burst = nil, -1, 0 // a QPS of 0 would mean client-go's default limit
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: c.Timeout, KeepAlive: 30 * time.Second}).DialContext
	}
	c.NextProtos = []string{"http/1.1"}
	client, err := coordinationv1.NewForConfig(rest.AddUserAgent(c, "leader-election"))
	if err != nil {
		return nil, fmt.Errorf("client for the lease: %w", err)
	}
	return client, nil
}

func leaseTimeout(renewDeadline time.Duration) time.Duration {
	return max(renewDeadline/2, time.Second)
}

// NewElector returns an Elector, or an error if the options are not valid.
func NewElector(client coordinationv1.LeasesGetter, o ElectionOptions) (*Elector, error) {
	if o.Lease.Namespace == "" || o.Lease.Name == "" || o.Identity == "" || len(o.Identity) > 128 {
		return nil, fmt.Errorf("leader election: lease %s, identity %q: expected both, in at most 128 characters",
			o.Lease, o.Identity)
	}
	// The Lease counts in whole seconds. Of two renewals within one second, another replica sees only the first.
	respected := o.LeaseDuration
	o.LeaseDuration = respected.Truncate(time.Second)
	e := &Elector{options: o, term: min(o.RenewDeadline, o.LeaseDuration-time.Second), changed: make(chan struct{}, 1)}
	e.lock = &lock{elector: e, LeaseLock: &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: o.Lease.Namespace, Name: o.Lease.Name}, Client: client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: o.Identity},
	}}
	_, err := e.newElection()
	if err == nil && e.term <= 0 {
		err = errors.New("the lease is too short")
	}
	if err != nil {
		return nil, fmt.Errorf("leader election: leaderElection.leaseDuration %s, in whole seconds, must be at least "+
			"2s and more than renewDeadline %s, and that more than 1.2 x retryPeriod %s: %w",
			respected, o.RenewDeadline, o.RetryPeriod, err)
	}
	return e, nil
}

// newElection returns the election for one term. It cannot be reused, because client-go would take the state of the
// last term for the present one.
func (e *Elector) newElection() (*leaderelection.LeaderElector, error) {
	o := &e.options
	return leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: e.lock, Name: o.Lease.Name, ReleaseOnCancel: true,
		LeaseDuration: o.LeaseDuration, RenewDeadline: o.RenewDeadline, RetryPeriod: o.RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {}, // lock has reported it already
			OnStoppedLeading: func() { e.lead(time.Time{}, "the lease was not renewed") },
		},
	})
}

// Leading reports whether this replica may write. It must be called right before each write. A write that is in flight
// when the term ends is fenced by its resourceVersion.
func (e *Elector) Leading() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leading("the lease was not renewed in time")
}

// leading returns whether this replica leads, and reports a change in the log and on the channel. If a caller of
// Leading got false after a pause, it is notified when the lease is renewed. The caller holds mu.
func (e *Elector) leading(reason string) bool {
	leading := time.Now().Before(e.until)
	if !e.reported.Changed(leading) {
		return leading
	}
	if leading {
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
	ctx = klog.NewContext(ctx, logr.Discard()) // because client-go logs each try
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		defer func() {
			if r := recover(); r != nil { // client-go logs a panic and raises it again
				e.options.Log.Error("leader election panicked", "err", fmt.Sprint(r))
			}
		}()
		if election, err := e.newElection(); err == nil { // NewElector has checked the options
			election.Run(ctx)
		}
	}, e.options.RetryPeriod)
}

// lead records until when this replica leads. reason is logged if it no longer leads.
func (e *Elector) lead(until time.Time, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.until = until
	e.leading(reason)
}

// lock wraps client-go's lock on the Lease. It reports to the elector which replica leads, from each read and write.
type lock struct {
	*resourcelock.LeaseLock
	elector   *Elector
	holder    string    // as last read or written
	respected time.Time // until when the holder of a deleted Lease may still lead
	failing   string    // the request that fails: "read" or "write"; "" if none does
}

// Get reads the Lease.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.LeaseLock.Get(ctx)
	switch l.report("read", err); {
	case apierrors.IsNotFound(err):
		l.elector.lead(time.Time{}, "the lease was deleted") // the replica that creates it leads
	case err == nil:
		l.keep(record.HolderIdentity)
	}
	return record, raw, err
}

// Create creates the Lease by server-side apply. Unlike a create, an apply has the name in its URL, so that a Role can
// limit it to one Lease. If another replica was faster, the apply is a conflict, because the holder belongs to that
// replica's field manager.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	start := time.Now()
	if start.Before(l.respected) {
		return errors.New("the lease was deleted, and its holder may still lead")
	}
	spec := resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	meta := l.LeaseMeta
	_, err := l.Client.Leases(meta.Namespace).Apply(ctx, applyv1.Lease(meta.Name, meta.Namespace).WithSpec(
		&applyv1.LeaseSpecApplyConfiguration{
			HolderIdentity: spec.HolderIdentity, LeaseDurationSeconds: spec.LeaseDurationSeconds,
			AcquireTime: spec.AcquireTime, RenewTime: spec.RenewTime, LeaseTransitions: spec.LeaseTransitions,
		}), metav1.ApplyOptions{FieldManager: l.Identity()})
	if err == nil {
		_, _, err = l.LeaseLock.Get(ctx) // the next update needs the resourceVersion
	}
	return l.wrote(start, record, err)
}

// Update takes, renews or releases the Lease. This replica stops leading before it releases the Lease.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity == "" {
		if l.holder != l.Identity() { // client-go may release the Lease although it has read another holder
			return errors.New("the lease belongs to another replica")
		}
		l.elector.lead(time.Time{}, "the lease is released")
	}
	start := time.Now()
	return l.wrote(start, record, l.LeaseLock.Update(ctx, record))
}

// wrote records the result of a write that was sent at start.
func (l *lock) wrote(start time.Time, record resourcelock.LeaderElectionRecord, err error) error {
	l.report("write", err)
	if err == nil {
		l.keep(record.HolderIdentity)
		if record.HolderIdentity == l.Identity() {
			l.elector.lead(start.Add(l.elector.term), "the response came too late")
		}
	}
	return err
}

// keep records the holder of the Lease.
func (l *lock) keep(holder string) {
	before := l.holder
	l.holder, l.respected = holder, time.Time{}
	if holder == l.Identity() {
		return
	}
	l.elector.lead(time.Time{}, "another replica has the lease")
	if holder == "" {
		return
	}
	l.respected = time.Now().Add(l.elector.options.LeaseDuration)
	if holder != before {
		l.elector.options.Log.Info("another replica leads", "identity", holder)
	}
}

// report logs once that the lease cannot be read or written, and when that works again. A lost race for the lease and a
// deleted lease are not failures. A request that this replica cancelled is ignored.
func (l *lock) report(request string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	failing := err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err)
	switch log := l.elector.options.Log; {
	case failing && l.failing == "":
		l.failing = request
		log.Warn("lease not reachable", "lease", l.Describe(), "err", Explain(err))
	case !failing && l.failing == request:
		l.failing = ""
		log.Info("lease reachable again", "lease", l.Describe())
	}
}
