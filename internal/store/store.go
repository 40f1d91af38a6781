// Package store holds the Services and EndpointSlices as they are known now, whether they are watched, listed once,
// or read from files.
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

// Options of a Store.
type Options struct {
	// Relevant says which Services to keep in full.
	Relevant func(*backend.Service) bool
	// Idle says of which of them the EndpointSlices decide nothing; nil: of none.
	Idle func(*backend.Service) bool
	// Namespaces, where there are any, are the only ones that are kept; Exclude are not kept.
	Namespaces, Exclude []string
	// SlicesOptional says that EndpointSlices need not be given, as where files, or rights, lack them: in a namespace
	// without any, nothing is known of readiness. What was not kept of them cannot be read again.
	SlicesOptional bool
	// Unbounded keeps all Services and EndpointSlices in full: they are the admin's own.
	Unbounded bool
}

// Store is what is known of the Services. Of a Service that is not relevant it keeps the name alone, and none of its
// EndpointSlices, unless it was relevant a moment ago. It is safe for concurrent use.
type Store struct {
	opts    Options
	changes chan struct{}

	mu       sync.Mutex
	services map[backend.Ref]*backend.Service
	shares   Shares // of those
	others   map[backend.Ref]struct{}
	sorted   []backend.Ref // others; nil when they have changed since
	// slices by Service, in the order of their names: most have one, for which a map is a waste, and some have tens
	// of thousands, which are moved at each change.
	slices  map[backend.Ref][]*Slice
	owners  map[backend.Ref]backend.Ref // of each slice, by its own name: a label can change
	most    int                         // slices since those two maps were made
	changed map[backend.Ref]struct{}
	frozen  map[string]bool // namespaces
	kept    map[backend.Ref]bool
	sliced  map[string]bool                 // namespaces with EndpointSlices, where those are optional
	sizes   Sizes                           // of the slices, by namespace
	bared   map[string]map[backend.Ref]bool // Services with slices that are not kept in full, by namespace
	missing map[backend.Ref]bool            // Services of whose EndpointSlices some may not be known
	lanes   map[string]*lane                // of those, by namespace
	turn    uint64                          // the last one that a lane was given
	missed  chan struct{}
	paid    map[string]*rate.Limiter // what was read lately, by namespace
	wake    *time.Timer              // for what waits for that
	exposed map[string]*exposures    // by namespace
	// lingering holds unmatched Services whose EndpointSlices are still kept, and since when they match no type, by
	// namespace.
	lingering map[string]map[backend.Ref]time.Time
}

// Change is a Service that has changed. Service is nil if it was deleted, or does not match a type any more.
type Change struct {
	backend.Ref
	Service   *backend.Service
	Endpoints *backend.Endpoints
	Exposures []backend.Exposure // in no order
}

// New returns an empty Store.
func New(opts Options) *Store {
	if opts.Idle == nil {
		opts.Idle = func(*backend.Service) bool { return false }
	}
	st := &Store{
		opts: opts, changes: make(chan struct{}, 1),
		services: map[backend.Ref]*backend.Service{}, shares: Shares{}, others: map[backend.Ref]struct{}{},
		slices: map[backend.Ref][]*Slice{}, owners: map[backend.Ref]backend.Ref{}, changed: map[backend.Ref]struct{}{},
		frozen: map[string]bool{}, sliced: map[string]bool{}, sizes: Sizes{}, bared: map[string]map[backend.Ref]bool{},
		missing: map[backend.Ref]bool{}, lanes: map[string]*lane{}, missed: make(chan struct{}, 1),
		exposed:   map[string]*exposures{},
		lingering: map[string]map[backend.Ref]time.Time{}, paid: map[string]*rate.Limiter{},
	}
	st.wake = time.AfterFunc(0, st.pokeMissed)
	return st
}

// leavesOut reports whether a namespace is not kept.
func (o *Options) leavesOut(namespace string) bool {
	return len(o.Namespaces) > 0 && !slices.Contains(o.Namespaces, namespace) || slices.Contains(o.Exclude, namespace)
}

// Changes receives when there is something to Take.
func (st *Store) Changes() <-chan struct{} { return st.changes }

// Notify makes Changes receive although there is nothing to Take, for example after the source's error has changed.
func (st *Store) Notify() { st.poke() }

// Service enters a Service as it is now. A Service that equals the known one, as after a new watch, is not a change.
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
		if wasOther && !st.rejoin(s.Ref) {
			st.miss(s.Ref)
		}
		st.want(s.Ref)
		if old == nil || !reflect.DeepEqual(*old, *st.services[s.Ref]) {
			st.touch(s.Ref)
		}
		st.refill(s.Namespace)
		st.refillServices(s.Namespace)
	default:
		st.setOther(s.Ref)
	}
}

// Matters reports whether more than the name of a Service is kept.
func (st *Store) Matters(s *backend.Service) bool {
	if st.opts.Relevant(s) {
		return true
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.kept[s.Ref]
}

// Keep says which Services to keep in full, with their EndpointSlices, also when detection has nothing to say about
// them any more. It replaces what an earlier call said.
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
	for ref := range services {
		st.want(ref)
	}
}

// SetOther enters a Service that matches no type.
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
	complete := st.services[ref] != nil && !st.missing[ref]
	st.found(ref)
	st.drop(ref)
	switch {
	case complete && !st.opts.SlicesOptional:
		st.part(ref)
	case !st.lingers(ref):
		st.forget(ref)
	}
}

// Ignores reports whether the EndpointSlices of a Service are not kept, because it matches no type.
func (st *Store) Ignores(service backend.Ref) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.ignores(service)
}

func (st *Store) ignores(service backend.Ref) bool {
	_, other := st.others[service]
	return other && !st.lingers(service)
}

// DeleteService removes a Service.
func (st *Store) DeleteService(ref backend.Ref) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.delete(ref)
}

func (st *Store) delete(ref backend.Ref) {
	st.deleteOther(ref)
	st.rejoin(ref)
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
	st.poke()
}

func (st *Store) poke() {
	select {
	case st.changes <- struct{}{}:
	default:
	}
}

// TouchAll makes every Service a change, for a full discovery.
func (st *Store) TouchAll() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for ref := range st.services {
		st.touch(ref)
	}
}

// Take returns what has changed since the last Take, by namespace and name. What is known of a frozen namespace
// waits, and so does a Service whose EndpointSlices are missing.
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

// Freeze marks a namespace that could not be listed in full. Take returns none of its changes until Thaw. Freeze
// reports whether the namespace was not frozen before.
func (st *Store) Freeze(namespace string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.frozen[namespace] {
		return false
	}
	st.frozen[namespace] = true
	st.poke()
	return true
}

// Thaw ends Freeze, because the namespace was listed, and reports whether it was frozen.
func (st *Store) Thaw(namespace string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.frozen[namespace] {
		return false
	}
	delete(st.frozen, namespace)
	st.poke()
	return true
}

// Frozen returns the frozen namespaces, sorted.
func (st *Store) Frozen() []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Sorted(maps.Keys(st.frozen))
}
