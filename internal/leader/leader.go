// Package leader elects the one replica that writes (DTS-RUN-2), by a Lease.
//
// It is client-go's election with four differences. Losing the lease is a state, not an end: the election goes on for as
// long as the process does. Leading is bounded by time: a replica that was paused, or cut off from the API server, stops to
// lead by the clock, before another can take over, and not when it gets around to noticing. A replica that does not lead reads
// the Lease often, and at the moment at which it ends, and takes it then: client-go looks at random moments between one and
// 2.2 retry periods apart. And a Lease is created by server-side apply, whose request carries the name, so that a Role can
// limit even that to the one Lease.
package leader

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
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
	holder  string    // who leads, as last seen
	failing bool      // the lease cannot be reached
	stopped bool
	expiry  *time.Timer
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
// fills the connection delays a renewal, and a connection that hangs is replaced at the first request that times out.
func Client(config *rest.Config, renewDeadline time.Duration) (coordinationv1.CoordinationV1Interface, error) {
	c := rest.CopyConfig(config)
	c.Timeout = requestTimeout(renewDeadline)
	c.RateLimiter, c.QPS, c.Burst = nil, -1, 0 // 0 would be client-go's own limit
	ownConnection(c)
	client, err := coordinationv1.NewForConfig(rest.AddUserAgent(c, "leader-election"))
	if err != nil {
		return nil, fmt.Errorf("client for the lease: %w", err)
	}
	return client, nil
}

// New checks the options. The client is not used when the election is not enabled.
func New(client coordinationv1.LeasesGetter, o Options) (*Elector, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Elector{options: o, client: client, changed: make(chan struct{}, 1)}
	if !o.Enabled {
		e.leading, e.holder = true, o.Identity
		return e, nil
	}
	if o.Namespace == "" || o.Name == "" || o.Identity == "" || len(o.Identity) > 128 {
		return nil, fmt.Errorf("leader election: lease %s/%s, identity %q: all are needed, the identity of at most 128 characters",
			o.Namespace, o.Name, o.Identity)
	}
	// The Lease counts in seconds: a part of one would be cut off by all but this replica.
	e.options.LeaseDuration = o.LeaseDuration.Truncate(time.Second)
	if _, err := leaderelection.NewLeaderElector(e.config(newLock(e, observation{}, nil))); err != nil {
		return nil, fmt.Errorf("leader election: leaderElection.leaseDuration %s, in whole seconds, must be more than renewDeadline %s, and that more than 1.2 x retryPeriod %s: %w",
			e.options.LeaseDuration, o.RenewDeadline, o.RetryPeriod, err)
	}
	return e, nil
}

// Leading says whether this replica may write. Ask right before each write; what is being written when it ends is fenced by
// the resourceVersion that it carries.
func (e *Elector) Leading() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leading && (!e.options.Enabled || time.Now().Before(e.until))
}

// Changed receives after Leading or Holder has changed; changes that nobody has received yet are one.
func (e *Elector) Changed() <-chan struct{} { return e.changed }

// Holder is the identity of the leader as last seen, "" if there is none.
func (e *Elector) Holder() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.holder
}

// Run takes part in elections until ctx ends. Then this replica first stops to lead, then releases the lease, for another
// to take over at once. End ctx after the last write has ended. Nothing but ctx ends Run.
func (e *Elector) Run(ctx context.Context) {
	electing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stopped := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(stopped)
		e.stop() // before the lease is released
		cancel()
	})
	var seen observation
	for e.options.Enabled && electing.Err() == nil {
		pause := e.elect(electing, &seen)
		select {
		case <-electing.Done():
		case <-time.After(pause):
		}
	}
	<-stopped
}

// elect runs one election: it waits for the lease to be free, tries to get it, and keeps it until it is lost. It returns how
// long to wait before the next.
func (e *Elector) elect(ctx context.Context, seen *observation) (pause time.Duration) {
	pause = e.options.RetryPeriod
	defer func() {
		if r := recover(); r != nil { // client-go's handler of crashes raises them again
			e.lost("panic")
			e.options.Log.Error("leader election panicked; electing again", "err", fmt.Sprint(r))
		}
	}()
	if !e.follow(ctx, seen) {
		return pause
	}
	ctx, over := context.WithCancel(ctx)
	defer over()
	l := newLock(e, *seen, over)
	elector, err := leaderelection.NewLeaderElector(e.config(l))
	if err != nil { // New has tried
		e.options.Log.Error("leader election cannot start", "err", err)
		return pause
	}
	elector.Run(quiet(ctx))
	e.lost("the lease was not renewed")
	if l.taken {
		return e.options.readInterval()
	}
	return pause
}

func (e *Elector) config(l *lock) leaderelection.LeaderElectionConfig {
	return leaderelection.LeaderElectionConfig{
		Lock:            l,
		LeaseDuration:   e.options.LeaseDuration,
		RenewDeadline:   e.options.RenewDeadline,
		RetryPeriod:     e.options.RetryPeriod,
		ReleaseOnCancel: true,
		Name:            e.options.Name,
		// Who leads is read off the lock, where it is known first: client-go tells of a loss only after it has tried to
		// release the lease, which may take as long as the lease lasts.
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {},
			OnStoppedLeading: func() {},
		},
	}
}
