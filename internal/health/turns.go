package health

import (
	"cmp"
	"slices"
	"time"
)

// turns decides which target is probed next, and shares the slots fairly among namespaces. No method walks over all
// targets: the end of a probe costs a few heap operations, and a scan of the running probes if all slots are taken.
//
// An entry is in one place at a time: in later, in the lane of its namespace, in held waiting for its address, or in
// active with a slot.
type turns struct {
	slots  int
	later  pile[*entry]           // entries that are due later
	lanes  map[string]*lane       // by namespace; lanes with an entry that waits or has a slot
	ready  pile[*lane]            // lanes with an entry that waits
	active []*entry               // entries with a slot, the newest last
	held   map[spot]*pile[*entry] // spots where a probe runs or is next, with the entries that wait for it
	count  uint64                 // turns so far
}

// lane holds the entries of one namespace.
type lane struct {
	namespace string
	waiting   pile[*entry]
	running   int    // entries with a slot
	served    uint64 // turns.count at its last turn
	listed    bool   // in turns.ready
	at        int    // its index in turns.ready
}

// spot is an address as probed for one namespace. The targets of a namespace at one address are probed one after the
// other. They do not wait for probes of other namespaces, because a probe may hang for 18 s or more and any Service
// can lead to any address.
type spot struct{ namespace, address string }

func newTurns(slots int) turns {
	return turns{slots: slots, lanes: map[string]*lane{}, held: map[spot]*pile[*entry]{}}
}

func (l *lane) place() *int { return &l.at }

// before reports whether the lane is served before another: it has fewer running probes, or was served longer ago.
func (l *lane) before(other *lane) bool {
	return cmp.Or(l.running-other.running, cmp.Compare(l.served, other.served)) < 0
}

// wait adds an entry that is due later.
func (t *turns) wait(e *entry) { e.put(&t.later) }

func (t *turns) isLater(e *entry) bool { return e.in == &t.later }

// add adds an entry that is due.
func (t *turns) add(e *entry) {
	namespace := e.namespace()
	l := t.lanes[namespace]
	if l == nil {
		l = &lane{namespace: namespace}
		t.lanes[namespace] = l
	}
	e.put(&l.waiting)
	t.settle(l)
}

// remove removes an entry that has no slot.
func (t *turns) remove(e *entry) {
	if e.in == nil {
		return
	}
	e.takeOut()
	t.release(e)
	if l := t.lanes[e.namespace()]; l != nil {
		t.settle(l)
	}
}

// settle updates the place of a lane in ready after the lane has changed.
func (t *turns) settle(l *lane) {
	if l.listed {
		t.ready.take(l.at)
	}
	l.listed = len(l.waiting) > 0
	if l.listed {
		t.ready.push(l)
	} else if l.running == 0 {
		delete(t.lanes, l.namespace)
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

// next gives a slot to an entry and returns it, or nil. A namespace may use all slots while no other one waits. If
// another one waits, the newest probe of the namespace with the most probes is cancelled.
func (t *turns) next() *entry {
	for len(t.ready) > 0 {
		l := t.ready[0]
		e := l.waiting[0]
		at := spot{l.namespace, e.address}
		behind, held := t.held[at]
		if held && e.spot != at {
			e.takeOut()
			e.put(behind)
			t.settle(l)
			continue
		}
		if len(t.active) >= t.slots && !t.makeRoom(l) {
			return nil
		}
		if !held {
			t.held[at] = new(pile[*entry])
		}
		e.takeOut()
		e.spot, e.lane = at, l
		t.active = append(t.active, e)
		t.count++
		l.running, l.served = l.running+1, t.count
		t.settle(l)
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
	l := e.lane
	if l == nil {
		return
	}
	e.lane = nil
	i := slices.Index(t.active, e)
	t.active = slices.Delete(t.active, i, i+1)
	l.running--
	t.settle(l)
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
