// Package store holds the Services and EndpointSlices as they are known now, whether they are watched, listed once, or read
// from files.
package store

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

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
	// SlicesOptional says that EndpointSlices need not be given, as where files, or rights, lack them: in a namespace without
	// any, nothing is known of readiness (DTS-PRB-4). What was not kept of them cannot be read again.
	SlicesOptional bool
	// Unbounded keeps all EndpointSlices in full: they are the admin's own.
	Unbounded bool
}

// Store is what is known of the Services. Of a Service that is not relevant it keeps the name alone, and none of its
// EndpointSlices, unless it was relevant a moment ago. It is safe for concurrent use.
type Store struct {
	opts    Options
	changes chan struct{}

	mu       sync.Mutex
	services map[backend.Ref]*backend.Service
	others   map[backend.Ref]struct{}
	sorted   []backend.Ref               // others; nil when they have changed since
	slices   map[backend.Ref][]Slice     // by Service, in the order of their names: most have one, for which a map is a waste
	owners   map[backend.Ref]backend.Ref // of each slice, by its own name: a label can change
	changed  map[backend.Ref]struct{}
	frozen   map[string]bool // namespaces
	kept     map[backend.Ref]bool
	sliced   map[string]bool                 // namespaces with EndpointSlices, where those are optional
	sizes    Sizes                           // of the slices, by namespace
	bared    map[string]map[backend.Ref]bool // Services with slices that are not kept in full, by namespace
	missing  map[backend.Ref]bool            // Services of whose EndpointSlices some may not be known
	lanes    map[string]*lane                // of those, by namespace
	turn     uint64                          // the last one that a lane was given
	missed   chan struct{}
	// lingering: since when Services are nothing whose EndpointSlices are still kept, by namespace.
	lingering map[string]map[backend.Ref]time.Time
}

// Change is a Service that is not as it was. Service is nil where it is gone, or nothing any more.
type Change struct {
	backend.Ref
	Service   *backend.Service
	Endpoints *backend.Endpoints
}

// New makes an empty one.
func New(opts Options) *Store {
	if opts.Idle == nil {
		opts.Idle = func(*backend.Service) bool { return false }
	}
	return &Store{
		opts: opts, changes: make(chan struct{}, 1),
		services: map[backend.Ref]*backend.Service{}, others: map[backend.Ref]struct{}{},
		slices: map[backend.Ref][]Slice{}, owners: map[backend.Ref]backend.Ref{}, changed: map[backend.Ref]struct{}{},
		frozen: map[string]bool{}, sliced: map[string]bool{}, sizes: Sizes{}, bared: map[string]map[backend.Ref]bool{},
		missing: map[backend.Ref]bool{}, lanes: map[string]*lane{}, missed: make(chan struct{}, 1),
		lingering: map[string]map[backend.Ref]time.Time{},
	}
}

// leavesOut reports whether a namespace is not kept.
func (o *Options) leavesOut(namespace string) bool {
	return len(o.Namespaces) > 0 && !slices.Contains(o.Namespaces, namespace) || slices.Contains(o.Exclude, namespace)
}

// Changes receives when there is something to Take.
func (w *Store) Changes() <-chan struct{} { return w.changes }

// Notify makes Changes receive though there is nothing to Take, as when what is wrong with the source has changed.
func (w *Store) Notify() { w.poke() }

// Service enters a Service as it is now. The same again, as after a watch that was cut, is no change.
func (w *Store) Service(s backend.Service) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set(s)
}

func (w *Store) set(s backend.Service) {
	switch {
	case w.opts.leavesOut(s.Namespace):
	case w.opts.Relevant(&s) || w.kept[s.Ref]:
		wasOther := w.deleteOther(s.Ref)
		if old := w.services[s.Ref]; old == nil || !reflect.DeepEqual(*old, s) {
			w.services[s.Ref] = &s
			if wasOther && !w.rejoin(s.Ref) {
				w.miss(s.Ref)
			}
			w.want(s.Ref)
			w.touch(s.Ref)
			w.refill(s.Namespace)
		}
	default:
		w.setOther(s.Ref)
	}
}

// Matters says whether more than the name of a Service is kept.
func (w *Store) Matters(s *backend.Service) bool {
	if w.opts.Relevant(s) {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept[s.Ref]
}

// Keep says which Services to keep in full, with their EndpointSlices, also when detection has nothing to say about them any
// more. It replaces what an earlier call said.
func (w *Store) Keep(services map[backend.Ref]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.kept
	w.kept = services
	for ref := range before {
		if s := w.services[ref]; s != nil && !services[ref] && !w.opts.Relevant(s) {
			w.setOther(ref)
		}
	}
	for ref := range services {
		w.want(ref)
	}
}

// SetOther enters a Service that is nothing.
func (w *Store) SetOther(ref backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.opts.leavesOut(ref.Namespace) {
		w.setOther(ref)
	}
}

func (w *Store) setOther(ref backend.Ref) {
	if _, known := w.others[ref]; !known {
		w.others[ref], w.sorted = struct{}{}, nil
	}
	complete := w.services[ref] != nil && !w.missing[ref]
	w.found(ref)
	if w.services[ref] != nil {
		delete(w.services, ref)
		w.touch(ref)
	}
	switch {
	case complete && !w.opts.SlicesOptional:
		w.part(ref)
	case !w.lingers(ref):
		w.forget(ref)
	}
}

// Ignores says that EndpointSlices of a Service are not kept: it is nothing.
func (w *Store) Ignores(service backend.Ref) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ignores(service)
}

func (w *Store) ignores(service backend.Ref) bool {
	_, other := w.others[service]
	return other && !w.lingers(service)
}

// DeleteService takes a Service out.
func (w *Store) DeleteService(ref backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delete(ref)
}

func (w *Store) delete(ref backend.Ref) {
	w.deleteOther(ref)
	w.rejoin(ref)
	w.found(ref)
	if w.services[ref] != nil {
		delete(w.services, ref)
		w.touch(ref)
	}
}

func (w *Store) deleteOther(ref backend.Ref) (known bool) {
	if _, known = w.others[ref]; known {
		delete(w.others, ref)
		w.sorted = nil
	}
	return known
}

// Slice enters an EndpointSlice as it is now, and the Service of its namespace that it belongs to; one that belongs to none,
// by an empty name, only leaves the one that it belonged to.
func (w *Store) Slice(service backend.Ref, s Slice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enter(service, s)
}

func (w *Store) enter(service backend.Ref, s Slice) {
	if w.opts.leavesOut(service.Namespace) {
		return
	}
	name := backend.Ref{Namespace: service.Namespace, Name: s.Name}
	if old, ok := w.owners[name]; ok && old != service {
		w.dropSlice(name)
	}
	w.makeRoom(service.Namespace, s.full())
	if service.Name == "" {
		return
	}
	if w.opts.SlicesOptional && !w.sliced[service.Namespace] {
		w.sliced[service.Namespace] = true
		for ref := range w.services {
			if ref.Namespace == service.Namespace {
				w.touch(ref)
			}
		}
	}
	if !w.ignores(service) {
		w.setSlice(name, service, s)
		w.refill(service.Namespace)
	}
}

func (w *Store) setSlice(name, service backend.Ref, s Slice) {
	w.owners[name] = service
	list := w.slices[service]
	i, known := find(list, name.Name)
	before := 0
	if known {
		before = list[i].full()
	}
	s = w.fit(service, s, before)
	switch {
	case !known:
		w.slices[service] = slices.Insert(list, i, s)
	case reflect.DeepEqual(list[i], s):
		return
	default:
		list[i] = s
	}
	w.touchKnown(service)
}

// DeleteSlice takes an EndpointSlice out, by its own name.
func (w *Store) DeleteSlice(name backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropSlice(name)
	w.deletedWhileMissing(name)
}

// Skip takes in that an EndpointSlice was seen while its Service was nothing. By now that may be something, and have been read.
func (w *Store) Skip(name, service backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if owner, ok := w.owners[name]; ok && (owner != service || w.ignores(service)) {
		w.dropSlice(name)
	}
}

func (w *Store) dropSlice(name backend.Ref) {
	service, ok := w.owners[name]
	if !ok {
		return
	}
	delete(w.owners, name)
	list := w.slices[service]
	if i, known := find(list, name.Name); known {
		w.leave(service, &list[i])
		list = slices.Delete(list, i, i+1)
	}
	if w.slices[service] = list; len(list) == 0 {
		delete(w.slices, service)
	}
	w.touchKnown(service)
	w.refill(service.Namespace)
}

func (w *Store) touchKnown(ref backend.Ref) {
	if w.services[ref] != nil {
		w.touch(ref)
	}
}

func (w *Store) touch(ref backend.Ref) {
	w.changed[ref] = struct{}{}
	w.poke()
}

func (w *Store) poke() {
	select {
	case w.changes <- struct{}{}:
	default:
	}
}

// TouchAll makes every Service a change: a full discovery.
func (w *Store) TouchAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ref := range w.services {
		w.touch(ref)
	}
}

// Take returns what has changed since the last Take, by namespace and name. What is known of a frozen namespace waits, and so
// does a Service whose EndpointSlices are missing.
func (w *Store) Take() []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Change
	for _, ref := range slices.SortedFunc(maps.Keys(w.changed), backend.Ref.Compare) {
		if w.waits(ref) || w.frozen[ref.Namespace] {
			continue
		}
		list = append(list, Change{Ref: ref, Service: w.services[ref], Endpoints: w.endpoints(ref)})
		delete(w.changed, ref)
	}
	return list
}

// Freeze says that a namespace has not been seen in full, and that nobody knows when it will be: nothing may be concluded
// from what is known of it. It reports whether that is new.
func (w *Store) Freeze(namespace string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.frozen[namespace] {
		return false
	}
	w.frozen[namespace] = true
	w.poke()
	return true
}

// Thaw says that it is seen after all, and reports whether it was frozen.
func (w *Store) Thaw(namespace string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.frozen[namespace] {
		return false
	}
	delete(w.frozen, namespace)
	w.poke()
	return true
}

// Frozen are the namespaces that are, in order.
func (w *Store) Frozen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.frozen))
}

// Others are the Services of which only the name is kept, in order.
func (w *Store) Others() []backend.Ref {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sorted == nil {
		w.sorted = slices.SortedFunc(maps.Keys(w.others), backend.Ref.Compare)
	}
	return w.sorted
}

// Has reports whether there is a Service of that name.
func (w *Store) Has(ref backend.Ref) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, other := w.others[ref]
	return other || w.services[ref] != nil
}

// Services are those that are kept in full, by namespace and name.
func (w *Store) Services() []*backend.Service {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Values(w.services), func(a, b *backend.Service) int { return a.Ref.Compare(b.Ref) })
}

// Count is the number of Services.
func (w *Store) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.services) + len(w.others)
}

// HasNamespace reports whether there is a Service in the namespace.
func (w *Store) HasNamespace(namespace string) bool {
	in := func(r backend.Ref) bool { return r.Namespace == namespace }
	return slices.ContainsFunc(w.Others(), in) || slices.ContainsFunc(w.Services(), func(s *backend.Service) bool { return in(s.Ref) })
}

// Get is a Service that is kept in full, and its endpoints, nil where nothing is known of them.
func (w *Store) Get(ref backend.Ref) (*backend.Service, *backend.Endpoints) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.services[ref], w.endpoints(ref)
}

// endpoints joins the slices of a Service. Every Service that selects pods has slices soon after it is made, so that none
// means none ready; of one without a selector and without slices nothing is known.
func (w *Store) endpoints(ref backend.Ref) *backend.Endpoints {
	s := w.services[ref]
	if s == nil || len(w.slices[ref]) == 0 && (len(s.Selector) == 0 || w.opts.SlicesOptional && !w.sliced[ref.Namespace]) {
		return nil
	}
	return Join(w.slices[ref])
}
