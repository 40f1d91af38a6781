package health

import (
	"slices"
	"time"
)

// turns decides which target is probed next, fair by namespace. Nothing here walks over all targets: the end
// of a probe costs a few changes of heaps, and a look at the probes that run where all slots are taken.
//
// An entry is in one place: it is due later, waits in the lane of its namespace, waits for its address in held, or
// has a slot and is active.
type turns struct {
	slots  int
	later  pile[*entry]
	lanes  map[string]*lane       // by namespace; those with an entry that waits or has a slot
	ready  pile[*lane]            // those with an entry that waits
	active []*entry               // the newest last
	held   map[spot]*pile[*entry] // where a probe runs or is about to, with the others that are to be probed there
	count  uint64                 // of turns
}

// lane is one namespace.
type lane struct {
	namespace string
	waiting   pile[*entry]
	running   int    // with a slot
	served    uint64 // the number of the last turn it had
	listed    bool   // in ready
	at        int    // its place there
}

// spot is an address, for the targets of one namespace: they are probed there one after the other. A probe of another
// namespace does not hold it: a probe may hang for 18 s and more, and any Service can lead to any address.
type spot struct{ namespace, address string }

func newTurns(slots int) turns {
	return turns{slots: slots, lanes: map[string]*lane{}, held: map[spot]*pile[*entry]{}}
}

func (l *lane) place() *int { return &l.at }

// before orders the namespaces: the fewest probes first, then the one that was served longest ago.
func (l *lane) before(other *lane) bool {
	if l.running != other.running {
		return l.running < other.running
	}
	return l.served < other.served
}

// wait puts in an entry that is due later.
func (t *turns) wait(e *entry) { e.put(&t.later) }

func (t *turns) isLater(e *entry) bool { return e.in == &t.later }

// add puts in an entry that is due.
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

// remove takes out an entry that has no slot.
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

// settle enters what has changed of a lane.
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

// due adds what is due by now. It returns when the next one will be, or the zero time.
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

// next gives a slot to an entry, or returns nil. A namespace may have all slots while no other waits; else the newest
// probe of the one that has the most is ended.
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

// makeRoom ends the newest probe of the namespace with the most, if that has more of them than l would have then. The
// oldest of a namespace is never ended, so that each comes to its end.
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

// vacate takes an entry's slot. Its probe may take a moment to end, and holds the address as long.
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

// leave enters that an entry's probe has ended.
func (t *turns) leave(e *entry) {
	t.vacate(e)
	t.release(e)
}

// release hands the address on to the first of those that wait for it.
func (t *turns) release(e *entry) {
	behind, held := t.held[e.spot]
	at := e.spot
	e.spot = spot{}
	switch {
	case !held: // it had none
	case len(*behind) == 0:
		delete(t.held, at)
	default:
		first := (*behind)[0]
		first.takeOut()
		first.spot = at
		t.add(first)
	}
}
