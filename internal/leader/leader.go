// Package leader elects the one replica that writes (DTS-RUN-2), by a Lease and client-go's election.
//
// Two things are added. Losing the lease is a state, not an end: the election goes on for as long as the process does. And
// leading is bounded by time: a replica that was paused, or cut off from the API server, stops to lead by the clock, before
// another can take over.
package leader

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
	"k8s.io/apimachinery/pkg/util/wait"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/klog/v2"

	"kubernaut.io/dynamic-toolset/internal/cluster"
)

// Options of an election.
type Options struct {
	Enabled   bool   // false: this replica is the only one and always leads
	Namespace string // of the Lease
	Name      string
	Identity  string // of this replica; see Identity

	LeaseDuration time.Duration // how long a lease that is not renewed is respected; counted in whole seconds
	RenewDeadline time.Duration // how long this replica leads without renewing
	RetryPeriod   time.Duration // between renewals, and before another try after a failure

	Log *slog.Logger
}

// Elector takes part in the election. Its methods may be called side by side.
type Elector struct {
	options Options
	client  coordinationv1.LeasesGetter
	changed chan struct{}

	mu      sync.Mutex
	leading bool      // as told by changed
	until   time.Time // leading ends then unless renewed
	failing bool      // the lease cannot be reached
}

// Identity is a name for this process that no other has: the host's name, which people know, and a random part.
func Identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "_" + uuid.NewString()
}

// Client makes the client for the Lease alone, on a connection of its own: neither a limit on requests nor a transfer that
// fills the connection delays a renewal, and a connection that hangs is replaced at the first request that times out. There
// is time for another request then: client-go shares the connections of clients whose configurations are equal, which those
// with a dialer of their own are not; and with HTTP/1.1 a request that times out takes its connection with it.
func Client(config *rest.Config, renewDeadline time.Duration) (coordinationv1.CoordinationV1Interface, error) {
	c := rest.CopyConfig(config)
	c.Timeout = requestTimeout(renewDeadline)
	c.RateLimiter, c.QPS, c.Burst = nil, -1, 0 // 0 would be client-go's own limit
	if c.Dial == nil {
		dialer := &net.Dialer{Timeout: c.Timeout, KeepAlive: 30 * time.Second}
		c.Dial = dialer.DialContext
	}
	c.NextProtos = []string{"http/1.1"}
	client, err := coordinationv1.NewForConfig(rest.AddUserAgent(c, "leader-election"))
	if err != nil {
		return nil, fmt.Errorf("client for the lease: %w", err)
	}
	return client, nil
}

func requestTimeout(renewDeadline time.Duration) time.Duration {
	return max(renewDeadline/2, time.Second)
}

// New checks the options. The client is not used when the election is not enabled.
func New(client coordinationv1.LeasesGetter, o Options) (*Elector, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	// The Lease counts in seconds: a part of one would be cut off by all but this replica.
	respected := o.LeaseDuration
	o.LeaseDuration = respected.Truncate(time.Second)
	e := &Elector{options: o, client: client, changed: make(chan struct{}, 1)}
	if !o.Enabled {
		e.leading = true
		return e, nil
	}
	if o.Namespace == "" || o.Name == "" || o.Identity == "" || len(o.Identity) > 128 {
		return nil, fmt.Errorf("leader election: lease %s/%s, identity %q: all are needed, the identity of at most 128 characters",
			o.Namespace, o.Name, o.Identity)
	}
	if _, err := leaderelection.NewLeaderElector(e.config(&lock{elector: e})); err != nil {
		return nil, fmt.Errorf("leader election: leaderElection.leaseDuration %s, in whole seconds, must be more than renewDeadline %s, "+
			"and that more than 1.2 x retryPeriod %s: %w", respected, o.RenewDeadline, o.RetryPeriod, err)
	}
	return e, nil
}

func (e *Elector) config(l *lock) leaderelection.LeaderElectionConfig {
	return leaderelection.LeaderElectionConfig{
		Lock: l, Name: e.options.Name, ReleaseOnCancel: true,
		LeaseDuration: e.options.LeaseDuration, RenewDeadline: e.options.RenewDeadline, RetryPeriod: e.options.RetryPeriod,
		// The lock says who leads, as client-go tells of a loss only after it has tried to release the lease.
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) {}, OnStoppedLeading: func() {}},
	}
}

// Leading says whether this replica may write. Ask right before each write; what is being written when it ends is fenced by
// the resourceVersion that it carries.
func (e *Elector) Leading() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leading && (!e.options.Enabled || time.Now().Before(e.until))
}

// Changed receives after Leading has changed; changes that were not received yet are one.
func (e *Elector) Changed() <-chan struct{} { return e.changed }

// Run takes part in elections until ctx ends. Then this replica first stops to lead, then releases the lease, for another
// to take over. End ctx after the last write has ended. Nothing but ctx ends Run.
func (e *Elector) Run(ctx context.Context) {
	defer e.end("the process stops")
	if !e.options.Enabled {
		<-ctx.Done()
		return
	}
	l := &lock{elector: e}
	wait.UntilWithContext(ctx, func(ctx context.Context) { e.elect(ctx, l) }, e.options.RetryPeriod)
}

// elect runs one election: it waits for the lease to be free, gets it, and keeps it until it is lost.
func (e *Elector) elect(ctx context.Context, l *lock) {
	defer func() {
		if r := recover(); r != nil { // client-go's handler of crashes raises them again
			e.end("panic")
			e.options.Log.Error("leader election panicked; electing again", "err", fmt.Sprint(r))
		}
	}()
	elector, err := leaderelection.NewLeaderElector(e.config(l))
	if err != nil { // New has tried
		e.options.Log.Error("leader election cannot start", "err", err)
		return
	}
	elector.Run(klog.NewContext(ctx, logr.Discard())) // which logs each try; the elector logs changes
	e.end("the lease was not renewed")
}

// leads lets this replica lead until then.
func (e *Elector) leads(until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := time.Until(until)
	if left <= 0 {
		return
	}
	e.until = until
	time.AfterFunc(left, func() {
		if !e.Leading() {
			e.end("the lease was not renewed in time")
		}
	})
	if !e.leading {
		e.leading = true
		e.options.Log.Info("this replica leads", "identity", e.options.Identity)
		e.tell()
	}
}

// end ends leading, with the reason.
func (e *Elector) end(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.leading {
		return
	}
	e.leading = false
	if e.options.Enabled { // else nobody was told that it leads
		e.options.Log.Info("this replica no longer leads", "reason", reason)
	}
	e.tell()
}

func (e *Elector) tell() {
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// reached notes what came of a request: whether the lease can be reached is logged once per change. Losing a race for it,
// or its not being there, is no failure, and a request that this replica itself gave up says nothing.
func (e *Elector) reached(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) {
		err = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if (err != nil) == e.failing {
		return
	}
	e.failing = err != nil
	lease := e.options.Namespace + "/" + e.options.Name
	if e.failing {
		e.options.Log.Warn("the lease cannot be reached; trying again until it can", "lease", lease, "err", cluster.Explain(err))
		return
	}
	e.options.Log.Info("the lease can be reached again", "lease", lease)
}
