// Package world holds the Services and EndpointSlices as they are known now, kept up by whoever sees them change: the watches
// of a cluster, or of files.
package world

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// World is what is known of the Services, kept up by events. Of a Service that detection has nothing to say about it keeps
// the name alone, and none of its EndpointSlices, unless it
// was something a moment ago. It is safe for concurrent use.
type World struct {
	relevant func(*backend.Service) bool
	changes  chan struct{}

	mu       sync.Mutex
	services map[backend.Ref]*backend.Service
	others   map[backend.Ref]struct{}
	sorted   []backend.Ref               // others; nil when they have changed since
	slices   map[backend.Ref][]Slice     // by Service, in the order of their names: most have one, for which a map is a waste
	owners   map[backend.Ref]backend.Ref // of each slice, by its own name: a label can change
	changed  map[backend.Ref]struct{}
	frozen   map[string]bool // namespaces
	kept     map[backend.Ref]bool
	optional bool                            // EndpointSlices need not be given
	sliced   map[string]int                  // EndpointSlices, by namespace
	sizes    Sizes                           // of those
	bared    map[string]map[backend.Ref]bool // Services with slices that are not kept in full, by namespace
	missing  map[backend.Ref]bool            // Services of whose EndpointSlices some may not be known
	lanes    map[string]*lane                // of those, by namespace
	turn     uint64                          // the last one that a lane was given
	missed   chan struct{}
	idle     func(*backend.Service) bool
	// lingering: since when Services are nothing whose EndpointSlices are still kept, by namespace.
	lingering map[string]map[backend.Ref]time.Time
}

// Change is a Service that is not as it was. Service is nil where it is gone, or nothing any more.
type Change struct {
	backend.Ref
	Service   *backend.Service
	Endpoints *backend.Endpoints
}

// New makes an empty one. relevant says which Services to keep in full.
func New(relevant func(*backend.Service) bool) *World {
	return &World{
		relevant: relevant, changes: make(chan struct{}, 1),
		services: map[backend.Ref]*backend.Service{}, others: map[backend.Ref]struct{}{},
		slices: map[backend.Ref][]Slice{}, owners: map[backend.Ref]backend.Ref{}, changed: map[backend.Ref]struct{}{},
		frozen: map[string]bool{}, sliced: map[string]int{}, sizes: Sizes{}, bared: map[string]map[backend.Ref]bool{},
		missing: map[backend.Ref]bool{}, lanes: map[string]*lane{}, missed: make(chan struct{}, 1),
		idle: func(*backend.Service) bool { return false }, lingering: map[string]map[backend.Ref]time.Time{},
	}
}

// SlicesOptional says that EndpointSlices need not be given, as in files: in a namespace without any, nothing is known of
// readiness (DTS-PRB-4). It is to be said before the first Service.
func (w *World) SlicesOptional() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.optional = true
}

// Changes receives when there is something to Take.
func (w *World) Changes() <-chan struct{} { return w.changes }

// Notify makes Changes receive though there is nothing to Take, as when what is wrong with the source has changed.
func (w *World) Notify() { w.poke() }

// SetService enters a Service as it is now. The same again, as after a watch that was cut, is no change.
func (w *World) SetService(s backend.Service) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.relevant(&s) || w.kept[s.Ref] {
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
		return
	}
	w.setOther(s.Ref)
}

// Matters says whether more than the name of a Service is kept.
func (w *World) Matters(s *backend.Service) bool {
	if w.relevant(s) {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept[s.Ref]
}

// Keep says which Services to keep in full, with their EndpointSlices, also when detection has nothing to say about them any
// more. It replaces what an earlier call said.
func (w *World) Keep(services map[backend.Ref]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.kept
	w.kept = services
	for ref := range before {
		if s := w.services[ref]; s != nil && !services[ref] && !w.relevant(s) {
			w.setOther(ref)
		}
	}
	for ref := range services {
		w.want(ref)
	}
}

// SetOther enters a Service that is nothing.
func (w *World) SetOther(ref backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setOther(ref)
}

func (w *World) setOther(ref backend.Ref) {
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
	case w.optional: // those of files are given once
	case complete:
		w.part(ref)
	case !w.lingers(ref):
		w.forget(ref)
	}
}

// Ignores says that EndpointSlices of a Service are not kept: it is nothing.
func (w *World) Ignores(service backend.Ref) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ignores(service)
}

func (w *World) ignores(service backend.Ref) bool {
	_, other := w.others[service]
	return other && !w.optional && !w.lingers(service)
}

// DeleteService takes a Service out.
func (w *World) DeleteService(ref backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deleteOther(ref)
	w.rejoin(ref)
	w.found(ref)
	if w.services[ref] != nil {
		delete(w.services, ref)
		w.touch(ref)
	}
}

func (w *World) deleteOther(ref backend.Ref) (known bool) {
	if _, known = w.others[ref]; known {
		delete(w.others, ref)
		w.sorted = nil
	}
	return known
}

// SetSlice enters an EndpointSlice as it is now: its own name, and the Service it belongs to, an empty Ref for none.
func (w *World) SetSlice(name, service backend.Ref, s backend.EndpointSlice, fqdn bool) {
	w.Enter(name.Namespace, service, Slice{Name: name.Name, EndpointSlice: s, FQDN: fqdn})
}

// Enter is SetSlice for a slice that may not be kept in full.
func (w *World) Enter(namespace string, service backend.Ref, s Slice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := backend.Ref{Namespace: namespace, Name: s.Name}
	if old, ok := w.owners[name]; ok && old != service {
		w.dropSlice(name)
	}
	if w.makeRoom(namespace, s.full()); service.Name == "" || w.ignores(service) {
		return
	}
	w.setSlice(name, service, s)
	w.refill(service.Namespace)
}

func (w *World) setSlice(name, service backend.Ref, s Slice) {
	if _, ok := w.owners[name]; !ok {
		w.count(service.Namespace, 1)
	}
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
func (w *World) DeleteSlice(name backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropSlice(name)
	w.deletedWhileMissing(name)
}

// Skip takes in that an EndpointSlice was seen while its Service was nothing. By now that may be something, and have been read.
func (w *World) Skip(name, service backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if owner, ok := w.owners[name]; ok && (owner != service || w.ignores(service)) {
		w.dropSlice(name)
	}
}

func (w *World) dropSlice(name backend.Ref) {
	service, ok := w.owners[name]
	if !ok {
		return
	}
	w.count(service.Namespace, -1)
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

// count keeps the number of a namespace's slices. Where they are optional, the first and the last of them change what is known
// of every Service in it.
func (w *World) count(namespace string, by int) {
	before := w.sliced[namespace]
	if w.sliced[namespace] = before + by; w.sliced[namespace] == 0 {
		delete(w.sliced, namespace)
	}
	if !w.optional || before > 0 && before+by > 0 {
		return
	}
	for ref := range w.services {
		if ref.Namespace == namespace {
			w.touch(ref)
		}
	}
}

func (w *World) touchKnown(ref backend.Ref) {
	if w.services[ref] != nil {
		w.touch(ref)
	}
}

func (w *World) touch(ref backend.Ref) {
	w.changed[ref] = struct{}{}
	w.poke()
}

func (w *World) poke() {
	select {
	case w.changes <- struct{}{}:
	default:
	}
}

// TouchAll makes every Service a change: a full discovery.
func (w *World) TouchAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ref := range w.services {
		w.touch(ref)
	}
}

// Take returns what has changed since the last Take, by namespace and name. What is known of a frozen namespace waits, and so
// does a Service whose EndpointSlices are missing.
func (w *World) Take() []Change {
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
func (w *World) Freeze(namespace string) bool {
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
func (w *World) Thaw(namespace string) bool {
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
func (w *World) Frozen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.frozen))
}

// Others are the Services of which only the name is kept, in order.
func (w *World) Others() []backend.Ref {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sorted == nil {
		w.sorted = slices.SortedFunc(maps.Keys(w.others), backend.Ref.Compare)
	}
	return w.sorted
}

// Has reports whether there is a Service of that name.
func (w *World) Has(ref backend.Ref) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, other := w.others[ref]
	return other || w.services[ref] != nil
}

// Get is a Service that is kept in full, and its endpoints, nil where nothing is known of them.
func (w *World) Get(ref backend.Ref) (*backend.Service, *backend.Endpoints) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.services[ref], w.endpoints(ref)
}

// endpoints joins the slices of a Service. Every Service that selects pods has slices soon after it is made, so that none
// means none ready; of one without a selector and without slices nothing is known.
func (w *World) endpoints(ref backend.Ref) *backend.Endpoints {
	s := w.services[ref]
	if s == nil || len(w.slices[ref]) == 0 && (len(s.Selector) == 0 || w.optional && w.sliced[ref.Namespace] == 0) {
		return nil
	}
	return Join(w.slices[ref])
}
