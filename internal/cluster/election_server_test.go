package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	applyv1 "k8s.io/client-go/applyconfigurations/coordination/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// leaseServer keeps one Lease as an API server does: resourceVersions are checked, and an apply conflicts where another
// field manager set another value.
type leaseServer struct {
	mu       sync.Mutex
	lease    *coordinationv1.Lease
	manager  string // that applied it
	version  int
	away     bool      // the Lease's namespace does not exist
	releases int       // writes that emptied the holder
	wrote    time.Time // last
}

// leaseAccess is one replica's way to the server.
type leaseAccess struct {
	server *leaseServer

	mu     sync.Mutex
	err    error // answers all requests
	hang   bool  // requests get no answer
	mute   bool  // writes arrive, and get no answer
	refuse error // answers writes
	broken int   // so many writes fail
	panic  bool
	pauses map[string]*pause // of the process: before, or after, a read, or a write, where it is next there
	writes int               // refused ones too
}

// pause is a stop of the whole process, as far as a request shows it: deadlines pass.
type pause struct{ begun, resume chan struct{} }

// roundTrip is how long a request takes.
const roundTrip = time.Millisecond

var leaseResource = schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}

func (a *leaseAccess) set(change func(*leaseAccess)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

// stopAt waits where the process is to be paused.
func (a *leaseAccess) stopAt(place string) (paused bool) {
	a.mu.Lock()
	p := a.pauses[place]
	delete(a.pauses, place)
	a.mu.Unlock()
	if p == nil {
		return false
	}
	close(p.begun)
	<-p.resume
	return true
}

func (a *leaseAccess) request(ctx context.Context, kind string) error {
	if a.stopAt("before a " + kind) {
		ctx = context.WithoutCancel(ctx) // it is sent before it is known that its time is over
	}
	a.mu.Lock()
	err, hang, broken := a.err, a.hang, a.panic
	if kind == "write" {
		a.writes++
		err = cmp.Or(a.refuse, err)
		if a.broken > 0 {
			a.broken--
			err = errors.New("connection reset")
		}
	}
	a.mu.Unlock()
	if broken {
		panic("a mistake in a library") //nolint:forbidigo // the mistake
	}
	if hang {
		ctx, cancel := context.WithTimeout(ctx, leaseTimeout(10*time.Second)) // as the client of LeaseClient has it
		defer cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	<-time.After(roundTrip) // so that requests of two replicas overlap
	return err
}

func (a *leaseAccess) answer(lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mute {
		return nil, errors.New("the connection was closed")
	}
	return lease, nil
}

func (a *leaseAccess) Leases(string) client.LeaseInterface { return leases{access: a} }

type leases struct {
	client.LeaseInterface // what is not needed stays nil
	access                *leaseAccess
}

func (l leases) Get(ctx context.Context, name string, _ metav1.GetOptions) (*coordinationv1.Lease, error) {
	if err := l.access.request(ctx, "read"); err != nil {
		return nil, err
	}
	defer l.access.stopAt("after a read")
	s := l.access.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return nil, apierrors.NewNotFound(leaseResource, name)
	}
	return s.lease.DeepCopy(), nil
}

func (l leases) Update(ctx context.Context, lease *coordinationv1.Lease, _ metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	if err := l.access.request(ctx, "write"); err != nil {
		return nil, err
	}
	defer l.access.stopAt("after a write")
	s := l.access.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return nil, apierrors.NewNotFound(leaseResource, lease.Name)
	}
	if lease.ResourceVersion != s.lease.ResourceVersion {
		return nil, apierrors.NewConflict(leaseResource, lease.Name, errors.New("modified"))
	}
	if *lease.Spec.HolderIdentity == "" {
		s.releases++
	}
	return l.access.answer(s.store(lease))
}

func (l leases) Apply(ctx context.Context, applied *applyv1.LeaseApplyConfiguration, o metav1.ApplyOptions) (*coordinationv1.Lease, error) {
	if err := l.access.request(ctx, "write"); err != nil {
		return nil, err
	}
	defer l.access.stopAt("after a write")
	text, err := json.Marshal(applied)
	if err != nil {
		return nil, err
	}
	lease := &coordinationv1.Lease{}
	if err := json.Unmarshal(text, lease); err != nil {
		return nil, err
	}
	s := l.access.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "kubernaut-system")
	}
	if s.lease != nil && s.manager != o.FieldManager && *s.lease.Spec.HolderIdentity != *lease.Spec.HolderIdentity && !o.Force {
		return nil, apierrors.NewConflict(leaseResource, lease.Name, errors.New("conflict with another field manager"))
	}
	s.manager = o.FieldManager
	return l.access.answer(s.store(lease))
}

func (s *leaseServer) store(lease *coordinationv1.Lease) *coordinationv1.Lease {
	s.version++
	s.wrote = time.Now()
	s.lease = lease.DeepCopy()
	s.lease.ResourceVersion = strconv.Itoa(s.version)
	return s.lease.DeepCopy()
}

func (s *leaseServer) holder() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return "no lease"
	}
	return *s.lease.Spec.HolderIdentity
}

// take gives the lease to another, as someone with kubectl could.
func (s *leaseServer) take(holder string) {
	s.edit(func(lease *coordinationv1.Lease) {
		lease.Spec.HolderIdentity = &holder
		lease.Spec.RenewTime = &metav1.MicroTime{Time: time.Now()}
	})
}

// edit changes the lease, or a new one.
func (s *leaseServer) edit(change func(*coordinationv1.Lease)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := &coordinationv1.Lease{}
	if s.lease != nil {
		lease = s.lease.DeepCopy()
	}
	change(lease)
	s.store(lease)
}

// written is when the lease was last written.
func (s *leaseServer) written() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrote
}

func (s *leaseServer) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = nil
}
