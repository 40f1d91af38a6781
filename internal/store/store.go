// Package store holds the Services and EndpointSlices as they are known now. They come from a watch, a list or files.
package store

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Options are the options of a Store.
type Options struct {
	// Relevant reports whether to keep a Service in full.
	Relevant func(*backend.Service) bool
	// Namespaces, if not empty, are the only namespaces that are kept. The namespaces in Exclude are not kept.
	Namespaces, Exclude []string
	// SlicesOptional means that EndpointSlices may be missing from the files, or may not be read for lack of rights. In
	// a namespace without any, readiness is unknown. Slices that were not kept cannot be read again.
	SlicesOptional bool
	// Unbounded means no limits on memory, because the Services and EndpointSlices are the admin's own.
	Unbounded bool
}

// Store holds the Services. If a Service is not relevant, the store keeps only its name, and no EndpointSlices. It is
// safe for concurrent use.
type Store struct {
	opts    Options
	changes chan struct{}

	mu       sync.Mutex
	services map[backend.Ref]*backend.Service
	shares   Shares // the memory of these Services
	others   map[backend.Ref]struct{}
	sorted   []backend.Ref // others, sorted; nil when others has changed since
	// slices has the EndpointSlices of each Service, sorted by name. Most Services have one, for which a map would
	// waste memory. Some have tens of thousands, and each change moves the pointers to them.
	slices  map[backend.Ref][]*Slice
	owners  map[backend.Ref]backend.Ref // the Service of each slice, by the name of the slice: a label can change
	most    int                         // the most slices since the last shrink
	changed map[backend.Ref]struct{}
	frozen  map[string]bool // namespaces
	kept    map[backend.Ref]bool
	sliced  map[string]bool                 // namespaces with EndpointSlices, where those are optional
	sizes   Sizes                           // total size of the slices, by namespace
	bared   map[string]map[backend.Ref]bool // Services with slices that are not kept in full, by namespace
	lanes   map[string]*lane                // queues of Services whose EndpointSlices are missing, by namespace
	turn    uint64                          // the last turn that a lane got
	missed  chan struct{}
	paid    map[string]*rate.Limiter // budgets for reading, by namespace
	wake    *time.Timer              // fires when a budget allows reading again
	exposed map[string]*exposures    // by namespace
}

// Change is a Service that has changed. Service is nil if it was deleted or stopped matching a type.
type Change struct {
	backend.Ref
	Service   *backend.Service
	Endpoints *backend.Endpoints
	Exposures []backend.Exposure // in no order
}

// New returns an empty Store.
func New(opts Options) *Store {
	st := &Store{
		opts: opts, changes: make(chan struct{}, 1),
		services: map[backend.Ref]*backend.Service{}, shares: Shares{}, others: map[backend.Ref]struct{}{},
		slices: map[backend.Ref][]*Slice{}, owners: map[backend.Ref]backend.Ref{}, changed: map[backend.Ref]struct{}{},
		frozen: map[string]bool{}, sliced: map[string]bool{}, sizes: Sizes{}, bared: map[string]map[backend.Ref]bool{},
		lanes: map[string]*lane{}, missed: make(chan struct{}, 1), paid: map[string]*rate.Limiter{},
		exposed: map[string]*exposures{},
	}
	st.wake = time.AfterFunc(0, func() { poke(st.missed) })
	return st
}

// leavesOut reports whether a namespace is not kept.
func (o *Options) leavesOut(namespace string) bool {
	return len(o.Namespaces) > 0 && !slices.Contains(o.Namespaces, namespace) || slices.Contains(o.Exclude, namespace)
}

// Changes receives when there is something to Take.
func (st *Store) Changes() <-chan struct{} { return st.changes }

// Notify makes Changes receive, also if there is nothing to Take, for example after the error of the source has
// changed.
func (st *Store) Notify() { poke(st.changes) }

// poke makes a channel receive. It does not block if the channel is full.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Service records a Service as it is now. If it equals the known one, as after a new watch, it is not a change.
func (st *Store) Service(s backend.Service) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.set(s)
}

func (st *Store) set(s backend.Service) {
	switch {
	case st.opts.leavesOut(s.Namespace):
	case st.opts.Relevant(&s) || st.kept[s.Ref]:
		wasOther, old := st.deleteOther(s.Ref), st.services[s.Ref]
		st.told(s.Ref)
		if old != nil && reflect.DeepEqual(*old, s) {
			return
		}
		st.keep(&s)
		if wasOther {
			st.miss(s.Ref)
		}
		if old == nil || !reflect.DeepEqual(*old, *st.services[s.Ref]) {
			st.touch(s.Ref)
		}
		st.refill(s.Namespace)
		st.refillServices(s.Namespace)
	default:
		st.setOther(s.Ref)
	}
}

// Matters reports whether a Service is kept in full, and not only its name.
func (st *Store) Matters(s *backend.Service) bool {
	if st.opts.Relevant(s) {
		return true
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.kept[s.Ref]
}

// Keep sets the Services that are kept in full, with their EndpointSlices, even if they are not relevant any more. It
// replaces the Services of an earlier call.
func (st *Store) Keep(services map[backend.Ref]bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	before := st.kept
	st.kept = services
	for ref := range before {
		if s := st.services[ref]; s != nil && !services[ref] && !st.opts.Relevant(s) {
			st.setOther(ref)
		}
	}
}

// SetOther records a Service that matches no type.
func (st *Store) SetOther(ref backend.Ref) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.opts.leavesOut(ref.Namespace) {
		st.setOther(ref)
	}
}

func (st *Store) setOther(ref backend.Ref) {
	if _, known := st.others[ref]; !known {
		st.others[ref], st.sorted = struct{}{}, nil
	}
	st.found(ref)
	st.drop(ref)
	st.forget(ref)
}

// Ignores reports whether the EndpointSlices of a Service are not kept, because it matches no type.
func (st *Store) Ignores(service backend.Ref) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.ignores(service)
}

func (st *Store) ignores(service backend.Ref) bool {
	_, other := st.others[service]
	return other
}

// DeleteService removes a Service.
func (st *Store) DeleteService(ref backend.Ref) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.delete(ref)
}

func (st *Store) delete(ref backend.Ref) {
	st.deleteOther(ref)
	st.found(ref)
	st.drop(ref)
}

func (st *Store) deleteOther(ref backend.Ref) (known bool) {
	if _, known = st.others[ref]; known {
		delete(st.others, ref)
		st.sorted = nil
	}
	return known
}

func (st *Store) touchKnown(ref backend.Ref) {
	if st.services[ref] != nil {
		st.touch(ref)
	}
}

func (st *Store) touch(ref backend.Ref) {
	st.changed[ref] = struct{}{}
	st.Notify()
}

// TouchAll makes every Service a change, for a full discovery.
func (st *Store) TouchAll() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for ref := range st.services {
		st.touch(ref)
	}
}

// Take returns the changes since the last Take, sorted by namespace and name. Changes of a frozen namespace wait, and
// so do Services with missing EndpointSlices.
func (st *Store) Take() []Change {
	st.mu.Lock()
	defer st.mu.Unlock()
	var list []Change
	for _, ref := range slices.SortedFunc(maps.Keys(st.changed), backend.Ref.Compare) {
		if st.waits(ref) || st.frozen[ref.Namespace] {
			continue
		}
		list = append(list,
			Change{Ref: ref, Service: st.services[ref], Endpoints: st.endpoints(ref), Exposures: st.exposuresOf(ref)})
		delete(st.changed, ref)
	}
	return list
}

// Freeze marks a namespace that could not be listed in full. Take returns none of its changes until Thaw.
func (st *Store) Freeze(namespace string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.frozen[namespace] {
		st.frozen[namespace] = true
		st.Notify()
	}
}

// Thaw ends Freeze, because the namespace was listed, and reports whether it was frozen. Each of its Services is then a
// change, because what Take returned of it before may have been dropped.
func (st *Store) Thaw(namespace string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.frozen[namespace] {
		return false
	}
	delete(st.frozen, namespace)
	for ref := range st.services {
		if ref.Namespace == namespace {
			st.touch(ref)
		}
	}
	st.Notify()
	return true
}

// Frozen returns the frozen namespaces, sorted.
func (st *Store) Frozen() []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Sorted(maps.Keys(st.frozen))
}
