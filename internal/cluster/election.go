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

// ElectionOptions of an Elector.
type ElectionOptions struct {
	Lease         backend.Ref
	Identity      string        // of this replica; see Identity
	LeaseDuration time.Duration // how long a lease that is not renewed is respected; counted in whole seconds
	RenewDeadline time.Duration // how long this replica tries to renew, and leads meanwhile
	RetryPeriod   time.Duration // between renewals, and before another try after a failure
	Log           *slog.Logger
}

// Elector elects the one replica that writes, by a Lease and client-go's election. Two things are added: the election
// goes on after a loss, until the process ends; and leading ends by the clock, before another replica may take over,
// also where this one was paused or cut off. Its methods are safe for concurrent use.
type Elector struct {
	options ElectionOptions
	term    time.Duration // how long this replica leads without renewing
	lock    *lock
	changed chan struct{}

	mu       sync.Mutex
	until    time.Time // leading ends then unless renewed
	reported logging.Condition[bool]
}

// Identity is a name for this process that no other has: the host's name, which people know, and a random part.
func Identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "_" + uuid.NewString()
}

// LeaseClient makes the client for the Lease alone, on a connection of its own: neither a limit on requests nor a
// transfer that fills the connection delays a renewal. A connection that hangs is replaced at the first request that
// times out, with time for another request: client-go shares the connections of clients with equal configurations, but
// not with a dialer of their own, and with HTTP/1.1 a request that times out takes its connection with it.
func LeaseClient(config *rest.Config, renewDeadline time.Duration) (coordinationv1.LeasesGetter, error) {
	c := rest.CopyConfig(config)
	c.Timeout = leaseTimeout(renewDeadline)
	c.RateLimiter, c.QPS, c.Burst = nil, -1, 0 // 0 would be client-go's own limit
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

// NewElector checks the options.
func NewElector(client coordinationv1.LeasesGetter, o ElectionOptions) (*Elector, error) {
	if o.Lease.Namespace == "" || o.Lease.Name == "" || o.Identity == "" || len(o.Identity) > 128 {
		return nil, fmt.Errorf("leader election: lease %s, identity %q: expected both, in at most 128 characters",
			o.Lease, o.Identity)
	}
	// The Lease counts in whole seconds. Of two renewals within one, another replica sees the first alone.
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
		return nil, fmt.Errorf(
			"leader election: leaderElection.leaseDuration %s, in whole seconds, must be at least 2s and "+
				"more than renewDeadline %s, and that more than 1.2 x retryPeriod %s: %w",
			respected,
			o.RenewDeadline,
			o.RetryPeriod,
			err,
		)
	}
	return e, nil
}

// newElection is for one term: client-go would take what it knew of the last for the present.
func (e *Elector) newElection() (*leaderelection.LeaderElector, error) {
	o := &e.options
	return leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: e.lock, Name: o.Lease.Name, ReleaseOnCancel: true,
		LeaseDuration: o.LeaseDuration, RenewDeadline: o.RenewDeadline, RetryPeriod: o.RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {}, // the lock knows sooner
			OnStoppedLeading: func() { e.lead(time.Time{}, "the lease was not renewed") },
		},
	})
}

// Leading reports whether this replica may write. It is to be called right before each write; a write that is under way
// when it ends is fenced by the resourceVersion that it carries.
func (e *Elector) Leading() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leading("the lease was not renewed in time")
}

// leading reports whether this replica leads, and reports a change. A caller that was told no, after a pause, so
// learns of it when the lease is renewed after all. The caller holds mu.
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

// Changed receives after Leading has changed; changes that were not received yet are one.
func (e *Elector) Changed() <-chan struct{} { return e.changed }

// Run takes part in elections until ctx ends. Then this replica stops to lead, and releases the lease for another. ctx
// must end after the last write.
func (e *Elector) Run(ctx context.Context) {
	ctx = klog.NewContext(ctx, logr.Discard()) // client-go logs each try
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		defer func() {
			if r := recover(); r != nil { // which client-go has raised again
				e.options.Log.Error("leader election panicked; electing again", "err", fmt.Sprint(r))
			}
		}()
		if election, err := e.newElection(); err == nil { // NewElector has tried
			election.Run(ctx)
		}
	}, e.options.RetryPeriod)
}

// lead notes until when this replica leads, and why no longer.
func (e *Elector) lead(until time.Time, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.until = until
	e.leading(reason)
}

// lock is client-go's lock on the Lease. From what it reads and writes, the elector learns who leads.
type lock struct {
	*resourcelock.LeaseLock
	elector   *Elector
	holder    string    // as last read or written
	respected time.Time // until when a Lease that was deleted is still the holder's, which may lead on
	failing   string    // the request that cannot be made: "read" or "write"
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

// Create creates the Lease by server-side apply: the request carries the name, so that a Role can limit even that to
// one Lease. Where another replica was faster, its holder is another field manager's, and the apply is a conflict.
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
		_, _, err = l.LeaseLock.Get(ctx) // for the next update
	}
	return l.wrote(start, record, err)
}

// Update takes, renews or releases the Lease. This replica stops to lead before it releases.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity == "" {
		if l.holder != l.Identity() { // client-go may believe that it still leads, though it has read otherwise
			return errors.New("the lease is another replica's")
		}
		l.elector.lead(time.Time{}, "the lease is released")
	}
	start := time.Now()
	return l.wrote(start, record, l.LeaseLock.Update(ctx, record))
}

// wrote notes what became of a request that was sent at start.
func (l *lock) wrote(start time.Time, record resourcelock.LeaderElectionRecord, err error) error {
	l.report("write", err)
	if err == nil {
		l.keep(record.HolderIdentity)
		if record.HolderIdentity == l.Identity() {
			l.elector.lead(start.Add(l.elector.term), "the answer came too late")
		}
	}
	return err
}

// keep notes who holds the Lease.
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

// report logs that the lease cannot be read or written, once, and when it can again. A lost race for the lease, or a
// deleted one, is no failure, and a request that this replica itself gave up says nothing.
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
