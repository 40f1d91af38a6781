package store

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The Services of a namespace have a bound in memory too (backend.MaxServices). The oldest that fit are kept in full,
// so that a new one takes the place of no other. Of the others little more than the name is kept, and they are
// rejected until there is room again: then they are read, one after the other.

// Shares are the Services of each namespace.
type Shares map[string]*share

type share struct {
	places      map[string]*place // by the name of the Service
	kept, bared places            // what is bared is younger than all that is kept
	bytes       int               // of what is kept
}

// place is that of one Service.
type place struct {
	name    string
	created time.Time
	bytes   int
	service *backend.Service // nil where it is bared
	at      int              // in kept or in bared
}

func (p *place) compare(o *place) int {
	return cmp.Or(p.created.Compare(o.created), strings.Compare(p.name, o.name))
}

func placeOf(s *backend.Service) *place {
	return &place{name: s.Name, created: s.Created, bytes: max(s.Bared, s.Size()), service: s}
}

// bare is a Service of which no labels, annotations, selector and ports are kept.
func bare(s *backend.Service) backend.Service {
	return backend.Service{
		Ref: s.Ref, UID: s.UID, Created: s.Created, Type: s.Type, ClusterIP: s.ClusterIP, ClusterIPs: s.ClusterIPs,
		ExternalName: s.ExternalName, Bared: max(s.Bared, s.Size()),
	}
}

// Fit makes a Service bare, or those that have to make room for it, for a reader that has many at once.
func (z Shares) Fit(s *backend.Service) {
	for _, out := range z.enter(s) {
		*out = bare(out)
	}
}

// enter gives a Service its place, and returns those that do not fit any more, it among them or not.
func (z Shares) enter(s *backend.Service) (out []*backend.Service) {
	z.leave(s)
	h := z[s.Namespace]
	if h == nil {
		h = &share{places: map[string]*place{}, kept: places{youngest: true}}
		z[s.Namespace] = h
	}
	p := placeOf(s)
	h.places[p.name] = p
	if first := h.bared.first(); s.Bared > 0 || first != nil && p.compare(first) > 0 {
		h.bare(p)
		out = append(out, s)
	} else {
		heap.Push(&h.kept, p)
		h.bytes += p.bytes
	}
	for h.crowded() {
		youngest := h.kept.first()
		h.unkeep(youngest)
		out = append(out, youngest.service)
		h.bare(youngest)
	}
	return out
}

// crowded: the youngest of those that are kept has to make room.
func (h *share) crowded() bool {
	youngest, waiting := h.kept.first(), h.bared.first()
	return youngest != nil && (h.bytes > backend.MaxServices || waiting != nil && youngest.compare(waiting) > 0)
}

func (h *share) bare(p *place) {
	p.service = nil
	heap.Push(&h.bared, p)
}

func (h *share) unkeep(p *place) {
	heap.Remove(&h.kept, p.at)
	h.bytes -= p.bytes
}

// leave takes the place of a Service away.
func (z Shares) leave(s *backend.Service) {
	h := z[s.Namespace]
	if h == nil || h.places[s.Name] == nil {
		return
	}
	p := h.places[s.Name]
	if delete(h.places, p.name); len(h.places) == 0 {
		delete(z, s.Namespace)
	}
	if p.service != nil {
		h.unkeep(p)
	} else {
		heap.Remove(&h.bared, p.at)
	}
}

// next is the oldest Service that is bare, if there is room for it.
func (z Shares) next(namespace string) (ref backend.Ref, ok bool) {
	h := z[namespace]
	if h == nil {
		return ref, false
	}
	first := h.bared.first()
	if first == nil || h.bytes+first.bytes > backend.MaxServices {
		return ref, false
	}
	return backend.Ref{Namespace: namespace, Name: first.name}, true
}

// places is a heap for container/heap, the oldest or the youngest first: who makes thousands of Services decides in
// which order they come.
type places struct {
	list     []*place
	youngest bool
}

// first is nil for none.
func (h *places) first() *place {
	if len(h.list) == 0 {
		return nil
	}
	return h.list[0]
}

func (h *places) Len() int           { return len(h.list) }
func (h *places) Less(i, j int) bool { return h.list[i].compare(h.list[j]) < 0 != h.youngest }

func (h *places) Swap(i, j int) {
	h.list[i], h.list[j] = h.list[j], h.list[i]
	h.list[i].at, h.list[j].at = i, j
}

func (h *places) Push(x any) {
	p := x.(*place) //nolint:forcetypeassert // nothing else is pushed
	p.at = len(h.list)
	h.list = append(h.list, p)
}

func (h *places) Pop() any {
	end := len(h.list) - 1
	p := h.list[end]
	h.list[end] = nil
	h.list = h.list[:end]
	return p
}

// keep enters a Service in place of what is known of it, in full if it fits.
func (st *Store) keep(s *backend.Service) {
	if old := st.services[s.Ref]; old != nil {
		st.shares.leave(old)
	}
	st.services[s.Ref] = s
	if st.opts.Unbounded {
		return
	}
	if slices.ContainsFunc(st.slices[s.Ref], func(part *Slice) bool { return part.Bared > 0 }) {
		st.noteBared(s.Ref)
	}
	for _, out := range st.shares.enter(s) {
		b := bare(out)
		st.services[out.Ref] = &b
		if out.Bared == 0 && out != s {
			st.touch(out.Ref)
		}
	}
}

// drop takes a Service out that was kept.
func (st *Store) drop(ref backend.Ref) {
	s := st.services[ref]
	if s == nil {
		return
	}
	delete(st.services, ref)
	if delete(st.bared[ref.Namespace], ref); len(st.bared[ref.Namespace]) == 0 {
		delete(st.bared, ref.Namespace)
	}
	st.shares.leave(s)
	st.touch(ref)
	st.refillServices(ref.Namespace)
}

// refillServices has the oldest Service that is bare read once there is room for it.
func (st *Store) refillServices(namespace string) {
	if ref, ok := st.shares.next(namespace); ok {
		st.miss(ref)
	}
}

// IsBare reports whether little more than the name is kept of a Service that is something.
func (st *Store) IsBare(ref backend.Ref) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.services[ref]
	return s != nil && s.Bared > 0
}
