package health

import (
	"cmp"
	"slices"
	"time"
)

// turns decides which target is probed next, and shares the slots fairly among namespaces. No method walks over all
// targets: the end of a probe costs a few heap operations, and a look at each namespace with work and at the running
// probes.
//
// An entry is in one place at a time: in later, in the lane of its namespace, in held waiting for its address, or in
// active with a slot.
type turns struct {
	slots  int
	later  pile             // entries that are due later
	lanes  map[string]*lane // by namespace; lanes with an entry that waits or has a slot
	active []*entry         // entries with a slot, the newest last
	held   map[spot]*pile   // spots where a probe runs or is next, with the entries that wait for it
	count  uint64           // turns so far
}

// lane holds the entries of one namespace.
type lane struct {
	waiting pile
	running int    // entries with a slot
	served  uint64 // turns.count at its last turn
}

// spot is an address as probed for one namespace. The targets of a namespace at one address are probed one after the
// other. They do not wait for probes of other namespaces, because a probe may hang for 18 s or more and any Service
// can lead to any address.
type spot struct{ namespace, address string }

func newTurns(slots int) turns {
	return turns{slots: slots, lanes: map[string]*lane{}, held: map[spot]*pile{}}
}

// before reports whether the lane is served before another: it has fewer running probes, or was served longer ago.
func (l *lane) before(other *lane) bool {
	return cmp.Or(l.running-other.running, cmp.Compare(l.served, other.served)) < 0
}

// wait adds an entry that is due later. Such entries come in the order in which they are due.
func (t *turns) wait(e *entry) {
	e.front, e.fresh = false, false
	t.later.add(e)
}

func (t *turns) isLater(e *entry) bool { return e.in == &t.later }

// add adds an entry that is due.
func (t *turns) add(e *entry) {
	l := t.lanes[e.namespace()]
	if l == nil {
		l = &lane{}
		t.lanes[e.namespace()] = l
	}
	l.waiting.add(e)
}

// remove removes an entry that has no slot.
func (t *turns) remove(e *entry) {
	if e.in != nil {
		e.takeOut()
		t.release(e)
	}
}

// due moves the entries that are due to their lanes. It returns when the next one is due, or the zero time.
func (t *turns) due(now time.Time) (next time.Time) {
	for len(t.later) > 0 {
		e := t.later[0]
		if e.due.After(now) {
			return e.due
		}
		e.takeOut()
		t.add(e)
	}
	return next
}

// first returns the lane whose turn it is, nil if no entry waits. It drops the lanes that have become empty.
func (t *turns) first() (first *lane) {
	for namespace, l := range t.lanes {
		switch {
		case len(l.waiting) == 0 && l.running == 0:
			delete(t.lanes, namespace)
		case len(l.waiting) > 0 && (first == nil || l.before(first)):
			first = l
		}
	}
	return first
}

// next gives a slot to an entry and returns it, or nil. A namespace may use all slots while no other one waits. If
// another one waits, the newest probe of the namespace with the most probes is cancelled.
func (t *turns) next() *entry {
	for l := t.first(); l != nil; l = t.first() {
		e := l.waiting[0]
		at := spot{e.namespace(), e.address}
		behind, held := t.held[at]
		if held && e.spot != at {
			e.takeOut()
			behind.add(e)
			continue
		}
		if len(t.active) >= t.slots && !t.makeRoom(l) {
			return nil
		}
		if !held {
			t.held[at] = new(pile)
		}
		e.takeOut()
		e.spot, e.lane = at, l
		t.active = append(t.active, e)
		t.count++
		l.running, l.served = l.running+1, t.count
		return e
	}
	return nil
}

// makeRoom cancels the newest probe of the namespace with the most probes, if it has more than l would have afterwards.
// The oldest probe of a namespace is never cancelled, so that every target is probed to the end at some time.
func (t *turns) makeRoom(l *lane) bool {
	var most *entry
	for _, e := range slices.Backward(t.active) {
		if most == nil || e.lane.running > most.lane.running {
			most = e
		}
	}
	if most == nil || most.lane.running <= l.running+1 {
		return false
	}
	most.stop()
	t.vacate(most)
	return true
}

// vacate frees an entry's slot. The entry holds its spot until its probe has returned.
func (t *turns) vacate(e *entry) {
	if e.lane == nil {
		return
	}
	e.lane.running--
	e.lane = nil
	i := slices.Index(t.active, e)
	t.active = slices.Delete(t.active, i, i+1)
}

// release passes the entry's spot on to the first entry that waits for it.
func (t *turns) release(e *entry) {
	behind, held := t.held[e.spot]
	at := e.spot
	e.spot = spot{}
	switch {
	case !held: // the entry has no spot
	case len(*behind) == 0:
		delete(t.held, at)
	default:
		first := (*behind)[0]
		first.takeOut()
		first.spot = at
		t.add(first)
	}
}
