package store

import (
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Slice is an EndpointSlice of a namespace.
type Slice struct {
	Name string
	backend.EndpointSlice
	FQDN  bool // it holds host names, which are never dialled
	Bared int  // the size that it had, where it is not kept in full
}

func find(sorted []Slice, name string) (at int, known bool) {
	return slices.BinarySearchFunc(sorted, name, func(s Slice, name string) int { return strings.Compare(s.Name, name) })
}

// Join makes one of the EndpointSlices of a Service, which are in the order of their names.
func Join(sorted []Slice) *backend.Endpoints {
	e := &backend.Endpoints{}
	for _, s := range sorted {
		e.FQDN, e.Crowded = e.FQDN || s.FQDN, e.Crowded || s.Bared > 0
		if !s.FQDN && (s.Bared == 0 || s.Denied.IsValid()) {
			e.Slices = append(e.Slices, s.EndpointSlice)
		}
	}
	return e
}

// A Service that was nothing and has become something, as by an annotation, has EndpointSlices that were not kept: they are
// missing until somebody reads them. Those of one that is idle are not read, and it does not wait for them.

// lane is what is to be read of one namespace, one Service at a time.
type lane struct {
	wanted  map[backend.Ref]bool
	turn    uint64 // the lowest one is next
	reading *reading
}

// reading is one that is being read.
type reading struct {
	backend.Ref
	void    bool            // the Service has become nothing since
	deleted map[string]bool // EndpointSlices that may still be among what is read
}

func (w *Store) miss(ref backend.Ref) {
	if !w.opts.SlicesOptional {
		w.missing[ref] = true
		w.want(ref)
	}
}

// want has the EndpointSlices of a Service read, if they are missing and decide anything.
func (w *Store) want(ref backend.Ref) {
	s := w.services[ref]
	if !w.missing[ref] || s == nil {
		return
	}
	l := w.lanes[ref.Namespace]
	if w.opts.Idle(s) && !w.kept[ref] {
		if l != nil {
			delete(l.wanted, ref)
			w.tidy(ref.Namespace)
		}
		return
	}
	if l == nil {
		w.turn++
		l = &lane{wanted: map[backend.Ref]bool{}, turn: w.turn}
		w.lanes[ref.Namespace] = l
	}
	l.wanted[ref] = true
	w.pokeMissed()
}

func (w *Store) waits(ref backend.Ref) bool {
	l := w.lanes[ref.Namespace]
	return l != nil && l.wanted[ref]
}

// found ends that the EndpointSlices of a Service are missing: they were read, or it is nothing any more.
func (w *Store) found(ref backend.Ref) {
	delete(w.missing, ref)
	l := w.lanes[ref.Namespace]
	if l == nil {
		return
	}
	delete(l.wanted, ref)
	if l.reading != nil && l.reading.Ref == ref {
		l.reading.void = true
	}
	w.tidy(ref.Namespace)
}

func (w *Store) tidy(namespace string) {
	if l := w.lanes[namespace]; l != nil && l.reading == nil && len(l.wanted) == 0 {
		delete(w.lanes, namespace)
	}
}

func (w *Store) pokeMissed() {
	select {
	case w.missed <- struct{}{}:
	default:
	}
}

// deletedWhileMissing remembers an EndpointSlice that may still be among those that are being read.
func (w *Store) deletedWhileMissing(name backend.Ref) {
	if l := w.lanes[name.Namespace]; l != nil && l.reading != nil {
		l.reading.deleted[name.Name] = true
	}
}

// Missed receives when there may be something new to read.
func (w *Store) Missed() <-chan struct{} { return w.missed }

// NextMissing is a Service whose EndpointSlices are to be read now, after which Fill or Unread must be called. Namespaces take
// turns, and of each one is read at a time: who flips thousands of Services has nobody else wait.
func (w *Store) NextMissing() (ref backend.Ref, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var next *lane
	for _, l := range w.lanes {
		if l.reading == nil && len(l.wanted) > 0 && (next == nil || l.turn < next.turn) {
			next = l
		}
	}
	if next == nil {
		return ref, false
	}
	w.turn++
	next.turn = w.turn
	for ref = range next.wanted { // any of them, so that none can be kept waiting
		break
	}
	next.reading = &reading{Ref: ref, deleted: map[string]bool{}}
	return ref, true
}

// Unread says that the EndpointSlices of a Service could not be read: it is another's turn, and they are still missing.
func (w *Store) Unread(ref backend.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endReading(ref)
}

// endReading gives the turn of a namespace back. It returns nil where what was read may be old by now.
func (w *Store) endReading(ref backend.Ref) *reading {
	l := w.lanes[ref.Namespace]
	if l == nil || l.reading == nil || l.reading.Ref != ref {
		return nil
	}
	r := l.reading
	l.reading = nil
	w.tidy(ref.Namespace)
	w.pokeMissed()
	if r.void || !w.missing[ref] {
		return nil
	}
	return r
}

// Fill enters the EndpointSlices of a Service that missed them, as they were read after that. What events have told since then
// counts more.
func (w *Store) Fill(ref backend.Ref, read []Slice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.endReading(ref)
	if r == nil {
		return
	}
	w.found(ref)
	for _, s := range read {
		own := backend.Ref{Namespace: ref.Namespace, Name: s.Name}
		if _, told := w.owners[own]; !told && !r.deleted[s.Name] {
			w.makeRoom(ref.Namespace, s.full())
			w.setSlice(own, ref, s)
		}
	}
	w.touch(ref)
}

// linger is how long the EndpointSlices of a Service are still kept, up to date, after it has become nothing: it may become
// something again, and then nothing has to be read.
const linger = 5 * time.Minute

// part has a Service that becomes nothing keep its EndpointSlices, which are all known, for a while, if there is much room.
func (w *Store) part(ref backend.Ref) {
	if w.sizes[ref.Namespace] > backend.MaxSlices/2 || slices.ContainsFunc(w.slices[ref], func(s Slice) bool { return s.Bared > 0 }) {
		w.forget(ref)
		return
	}
	if w.lingering[ref.Namespace] == nil {
		w.lingering[ref.Namespace] = map[backend.Ref]time.Time{}
	}
	w.lingering[ref.Namespace][ref] = time.Now()
}

func (w *Store) lingers(ref backend.Ref) bool {
	_, ok := w.lingering[ref.Namespace][ref]
	return ok
}

// rejoin ends that, and reports whether the EndpointSlices of the Service are there.
func (w *Store) rejoin(ref backend.Ref) bool {
	if !w.lingers(ref) {
		return false
	}
	if delete(w.lingering[ref.Namespace], ref); len(w.lingering[ref.Namespace]) == 0 {
		delete(w.lingering, ref.Namespace)
	}
	return true
}

// makeRoom drops what lingers of a namespace where the rest needs the room.
func (w *Store) makeRoom(namespace string, bytes int) {
	if w.sizes[namespace]+bytes <= backend.MaxSlices {
		return
	}
	for ref := range w.lingering[namespace] {
		w.forget(ref)
	}
	delete(w.lingering, namespace)
}

// Tidy drops what has lingered long enough.
func (w *Store) Tidy() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, list := range w.lingering {
		for ref, since := range list {
			if time.Since(since) >= linger {
				w.rejoin(ref)
				w.forget(ref)
			}
		}
	}
}
