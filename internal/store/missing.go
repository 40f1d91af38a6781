package store

import (
	"maps"
	"time"

	"golang.org/x/time/rate"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The EndpointSlices of a Service that matched no type were not kept. If it matches one now, for example because of a
// new annotation, they are missing until they are read, and it waits for them.

// lane holds the Services of one namespace whose EndpointSlices are to be read, one Service at a time.
type lane struct {
	wanted  map[backend.Ref]bool
	turn    uint64 // the lane with the lowest turn is next
	reading *reading
}

// reading is a Service that is being read.
type reading struct {
	backend.Ref
	void    bool            // the Service stopped matching a type meanwhile
	told    bool            // an event about the Service came meanwhile
	deleted map[string]bool // EndpointSlices that were deleted meanwhile
}

// miss queues a Service for its EndpointSlices to be read.
func (st *Store) miss(ref backend.Ref) {
	if st.opts.SlicesOptional {
		return
	}
	l := st.lanes[ref.Namespace]
	if l == nil {
		st.turn++
		l = &lane{wanted: map[backend.Ref]bool{}, turn: st.turn}
		st.lanes[ref.Namespace] = l
	}
	l.wanted[ref] = true
	poke(st.missed)
}

func (st *Store) waits(ref backend.Ref) bool {
	l := st.lanes[ref.Namespace]
	return l != nil && l.wanted[ref]
}

// found records that the EndpointSlices of a Service are no longer missing: they were read, or it stopped matching a
// type.
func (st *Store) found(ref backend.Ref) {
	l := st.lanes[ref.Namespace]
	if l == nil {
		return
	}
	delete(l.wanted, ref)
	if l.reading != nil && l.reading.Ref == ref {
		l.reading.void = true
	}
	st.tidy(ref.Namespace)
}

func (st *Store) tidy(namespace string) {
	if l := st.lanes[namespace]; l != nil && l.reading == nil && len(l.wanted) == 0 {
		delete(st.lanes, namespace)
	}
}

// deletedWhileMissing records that an EndpointSlice was deleted, because it may be among those that are being read.
func (st *Store) deletedWhileMissing(name backend.Ref) {
	if l := st.lanes[name.Namespace]; l != nil && l.reading != nil {
		l.reading.deleted[name.Name] = true
	}
}

// told records that an event about a Service came while it is being read. The Service that is read may be older.
func (st *Store) told(ref backend.Ref) {
	if l := st.lanes[ref.Namespace]; l != nil && l.reading != nil && l.reading.Ref == ref {
		l.reading.told = true
	}
}

// Missed receives when there may be something new to read.
func (st *Store) Missed() <-chan struct{} { return st.missed }

// NextMissing returns a Service whose EndpointSlices are to be read now. The caller must then call Fill or Unread.
// Namespaces take turns. In each, one Service is read at a time, within a budget. So an owner who changes thousands of
// Services delays no other namespace, and does not load the API server.
func (st *Store) NextMissing() (ref backend.Ref, ok bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	var next *lane
	var wait time.Duration
	for namespace, l := range st.lanes {
		switch w := st.untilRead(namespace); {
		case l.reading != nil || len(l.wanted) == 0:
		case w > 0 && (wait == 0 || w < wait):
			wait = w
		case w > 0:
		case next == nil || l.turn < next.turn:
			next = l
		}
	}
	if next == nil {
		if wait > 0 {
			st.wake.Reset(wait)
		}
		return ref, false
	}
	st.turn++
	next.turn = st.turn
	for ref = range next.wanted { // a random one, so that each gets its turn
		break
	}
	next.reading = &reading{Ref: ref, deleted: map[string]bool{}}
	st.pay(ref.Namespace, 1)
	return ref, true
}

// Unread records that the EndpointSlices of a Service could not be read. They stay missing, and another Service is
// next.
func (st *Store) Unread(ref backend.Ref) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.endReading(ref)
}

// endReading ends the turn of a namespace. It returns nil if the EndpointSlices are not needed any more.
func (st *Store) endReading(ref backend.Ref) *reading {
	l := st.lanes[ref.Namespace]
	if l == nil || l.reading == nil || l.reading.Ref != ref {
		return nil
	}
	r := l.reading
	l.reading = nil
	st.tidy(ref.Namespace)
	poke(st.missed)
	if r.void {
		return nil
	}
	return r
}

// Fill records the EndpointSlices that were read for a Service. service is the Service itself if it was bare, else nil.
// Events since the start of the reading take precedence.
func (st *Store) Fill(ref backend.Ref, service *backend.Service, read []Slice) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.pay(ref.Namespace, len(read))
	r := st.endReading(ref)
	if r == nil {
		return
	}
	st.found(ref)
	for _, s := range read {
		own := backend.Ref{Namespace: ref.Namespace, Name: s.Name}
		if _, told := st.owners[own]; !told && !r.deleted[s.Name] {
			st.setSlice(own, ref, s)
		}
	}
	st.touch(ref)
	if service != nil && !r.told {
		st.set(*service)
	}
	st.refillServices(ref.Namespace)
}

// The budget of one namespace: the number of Services and EndpointSlices that are read at once, and in each second
// after that.
const (
	readAtOnce    = 2000
	readPerSecond = 50
)

// pay takes n objects from the budget of a namespace, which may become negative.
func (st *Store) pay(namespace string, n int) {
	if st.paid[namespace] == nil {
		maps.DeleteFunc(st.paid, func(_ string, l *rate.Limiter) bool { return l.Tokens() >= readAtOnce })
		st.paid[namespace] = rate.NewLimiter(readPerSecond, readAtOnce)
	}
	st.paid[namespace].ReserveN(time.Now(), min(n, readAtOnce))
}

// untilRead returns the time until a namespace has budget to read.
func (st *Store) untilRead(namespace string) time.Duration {
	l := st.paid[namespace]
	if l == nil || l.Tokens() >= 1 {
		return 0
	}
	return time.Duration((1-l.Tokens())/readPerSecond*float64(time.Second)).Round(time.Millisecond) + time.Millisecond
}
