package leader

import (
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

// apiServer keeps one Lease as an API server does: resourceVersions are checked, and an apply conflicts where another field
// manager set another value.
type apiServer struct {
	mu       sync.Mutex
	lease    *coordinationv1.Lease
	manager  string // that applied it
	version  int
	requests int
	releases int // writes that emptied the holder
}

// access is one replica's way to the server.
type access struct {
	server *apiServer

	mu    sync.Mutex
	err   error // answers all requests
	hang  bool  // requests get no answer
	panic bool
}

var resource = schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}

func (a *access) set(change func(*access)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

func (a *access) request(ctx context.Context) error {
	a.mu.Lock()
	err, hang, broken := a.err, a.hang, a.panic
	a.mu.Unlock()
	if broken {
		panic("a mistake in a library") //nolint:forbidigo // the mistake
	}
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	<-time.After(time.Millisecond) // so that requests of two replicas overlap
	a.server.mu.Lock()
	a.server.requests++
	a.server.mu.Unlock()
	return err
}

func (a *access) Leases(string) client.LeaseInterface { return leases{access: a} }

type leases struct {
	client.LeaseInterface // what is not needed stays nil
	access                *access
}

func (l leases) Get(ctx context.Context, name string, _ metav1.GetOptions) (*coordinationv1.Lease, error) {
	if err := l.access.request(ctx); err != nil {
		return nil, err
	}
	s := l.access.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return nil, apierrors.NewNotFound(resource, name)
	}
	return s.lease.DeepCopy(), nil
}

func (l leases) Update(ctx context.Context, lease *coordinationv1.Lease, _ metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	if err := l.access.request(ctx); err != nil {
		return nil, err
	}
	s := l.access.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return nil, apierrors.NewNotFound(resource, lease.Name)
	}
	if lease.ResourceVersion != s.lease.ResourceVersion {
		return nil, apierrors.NewConflict(resource, lease.Name, errors.New("modified"))
	}
	if *lease.Spec.HolderIdentity == "" {
		s.releases++
	}
	return s.store(lease), nil
}

func (l leases) Apply(ctx context.Context, applied *applyv1.LeaseApplyConfiguration, o metav1.ApplyOptions) (*coordinationv1.Lease, error) {
	if err := l.access.request(ctx); err != nil {
		return nil, err
	}
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
	if s.lease != nil && s.manager != o.FieldManager && *s.lease.Spec.HolderIdentity != *lease.Spec.HolderIdentity && !o.Force {
		return nil, apierrors.NewConflict(resource, lease.Name, errors.New("conflict with another field manager"))
	}
	s.manager = o.FieldManager
	return s.store(lease), nil
}

func (s *apiServer) store(lease *coordinationv1.Lease) *coordinationv1.Lease {
	s.version++
	s.lease = lease.DeepCopy()
	s.lease.ResourceVersion = strconv.Itoa(s.version)
	return s.lease.DeepCopy()
}

func (s *apiServer) holder() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return "no lease"
	}
	return *s.lease.Spec.HolderIdentity
}

// take gives the lease to another, as someone with kubectl could.
func (s *apiServer) take(holder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := s.lease.DeepCopy()
	lease.Spec.HolderIdentity = &holder
	lease.Spec.RenewTime = &metav1.MicroTime{Time: time.Now()}
	s.store(lease)
}

func (s *apiServer) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = nil
}
