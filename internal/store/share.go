package store

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The Services of a namespace have a limit in memory too (backend.MaxServices). The oldest that fit are kept in full,
// so that a new one never replaces an older one. The others are bare, which means little more than a name, and are
// rejected. When there is room again, they are read one by one.

// Shares has the Services of each namespace.
type Shares map[string]*share

type share struct {
	places      map[string]*place // by the name of the Service
	kept, bared places            // each bare Service is younger than all that are kept
	bytes       int               // of the Services that are kept
}

// place is the place of one Service in a share.
type place struct {
	name    string
	created time.Time
	bytes   int
	service *backend.Service // nil if it is bare
	at      int              // index in kept or in bared
}

func (p *place) compare(o *place) int {
	return cmp.Or(p.created.Compare(o.created), strings.Compare(p.name, o.name))
}

func placeOf(s *backend.Service) *place {
	return &place{name: s.Name, created: s.Created, bytes: max(s.Bared, s.Size()), service: s}
}

// bare returns a Service without labels, annotations, selector and ports.
func bare(s *backend.Service) backend.Service {
	return backend.Service{
		Ref: s.Ref, UID: s.UID, Created: s.Created, Type: s.Type, ClusterIP: s.ClusterIP, ClusterIPs: s.ClusterIPs,
		ExternalName: s.ExternalName, Bared: max(s.Bared, s.Size()),
	}
}

// Fit adds a Service. It makes bare the Services that have no room then, which may be this one.
func (z Shares) Fit(s *backend.Service) {
	for _, out := range z.enter(s) {
		*out = bare(out)
	}
}

// enter gives a Service its place, and returns the Services that have no room then, which may be this one.
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

// crowded reports whether the youngest Service that is kept must become bare.
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

// leave removes the place of a Service.
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

// next returns the oldest bare Service, if there is room for it.
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

// places is a heap for container/heap, with the oldest or the youngest first. A heap is fast in any order of Services,
// and an owner with thousands of them chooses the order.
type places struct {
	list     []*place
	youngest bool
}

// first returns the first place, nil if there is none.
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

// keep stores a Service, in full if there is room.
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

// drop removes a Service that was kept.
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

// refillServices makes the oldest bare Service missing, so that it is read, if there is room for it.
func (st *Store) refillServices(namespace string) {
	if ref, ok := st.shares.next(namespace); ok {
		st.miss(ref)
	}
}

// IsBare reports whether a Service that matches a type has no room, and little more than its name is kept.
func (st *Store) IsBare(ref backend.Ref) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.services[ref]
	return s != nil && s.Bared > 0
}
