package store

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The Services of a namespace have a limit in memory too (backend.MaxServices). The oldest that fit are kept in full,
// so that a new one never replaces an older one. The others are bare, which means little more than a name, and are
// rejected. When there is room again, they are read one by one.

// Shares has the Services of each namespace.
type Shares map[string]*share

// share has the Services of one namespace, the oldest first. A sorted list is fast enough in any order of Services, and
// an owner with thousands of them chooses the order.
type share struct {
	list  []*backend.Service
	kept  int // how many of them, from the first, are kept in full; the others are bare
	bytes int // of the Services that are kept in full
}

func (h *share) find(s *backend.Service) (at int, known bool) {
	return slices.BinarySearchFunc(h.list, s, func(a, b *backend.Service) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Name, b.Name))
	})
}

// fullSize returns the size of a Service as it was read.
func fullSize(s *backend.Service) int { return max(s.Bared, s.Size()) }

// bare returns a Service without labels, annotations, selector and ports.
func bare(s *backend.Service) backend.Service {
	return backend.Service{
		Ref: s.Ref, UID: s.UID, Created: s.Created, Type: s.Type, ClusterIP: s.ClusterIP, ClusterIPs: s.ClusterIPs,
		ExternalName: s.ExternalName, Bared: fullSize(s),
	}
}

// Fit adds a Service. It makes bare the Services that have no room then, which may be this one.
func (z Shares) Fit(s *backend.Service) {
	z.enter(s, func(out *backend.Service) *backend.Service {
		*out = bare(out)
		return out
	})
}

// enter gives a Service its place. It calls toBare for each Service that has no room then, which may be this one.
func (z Shares) enter(s *backend.Service, toBare func(*backend.Service) *backend.Service) {
	h := z[s.Namespace]
	if h == nil {
		h = &share{}
		z[s.Namespace] = h
	}
	at, _ := h.find(s)
	h.list = slices.Insert(h.list, at, s)
	if at <= h.kept {
		h.kept++
		h.bytes += fullSize(s)
	} else {
		h.list[at] = toBare(s)
	}
	for h.bytes > backend.MaxServices || s.Bared > 0 && h.kept > at { // none is kept before an older one
		h.kept--
		out := h.list[h.kept]
		h.bytes -= fullSize(out)
		h.list[h.kept] = toBare(out)
	}
}

// leave removes the place of a Service.
func (z Shares) leave(s *backend.Service) {
	h := z[s.Namespace]
	if h == nil {
		return
	}
	at, known := h.find(s)
	if !known {
		return
	}
	if at < h.kept {
		h.kept--
		h.bytes -= fullSize(s)
	}
	if at == 0 { // none of the others has to move
		h.list[0], h.list = nil, h.list[1:]
	} else {
		h.list = slices.Delete(h.list, at, at+1)
	}
	if len(h.list) == 0 {
		delete(z, s.Namespace)
	}
}

// next returns the oldest bare Service, if there is room for it.
func (z Shares) next(namespace string) (ref backend.Ref, ok bool) {
	h := z[namespace]
	if h == nil || h.kept == len(h.list) {
		return ref, false
	}
	first := h.list[h.kept]
	return first.Ref, h.bytes+fullSize(first) <= backend.MaxServices
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
	st.shares.enter(s, func(out *backend.Service) *backend.Service {
		b := bare(out) // a copy, because readers have the old one
		st.services[out.Ref] = &b
		if out.Bared == 0 && out != s {
			st.touch(out.Ref)
		}
		return &b
	})
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
