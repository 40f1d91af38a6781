package store

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The Services of a namespace have a bound in memory too (backend.MaxServices). The oldest that fit are kept in full, so that a new
// one takes the place of no other. Of the others little more than the name is kept, and they are rejected until there is room
// again: then they are read, one after the other.

// Shares are the Services of each namespace.
type Shares map[string]*share

type share struct {
	kept, bared []place // the oldest first; what is bared is younger than all that is kept
	bytes       int     // of what is kept
}

// place is that of one Service.
type place struct {
	name    string
	created time.Time
	bytes   int
	service *backend.Service // nil where it is bared
}

func (p place) compare(o place) int {
	return cmp.Or(p.created.Compare(o.created), strings.Compare(p.name, o.name))
}

func placeOf(s *backend.Service) place {
	return place{name: s.Name, created: s.Created, bytes: max(s.Bared, s.Size()), service: s}
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
	h := z[s.Namespace]
	if h == nil {
		h = &share{}
		z[s.Namespace] = h
	}
	p := placeOf(s)
	if s.Bared > 0 || len(h.bared) > 0 && p.compare(h.bared[0]) > 0 {
		p.service = nil
		h.bared = enter(h.bared, p)
		out = append(out, s)
	} else {
		h.kept = enter(h.kept, p)
		h.bytes += p.bytes
	}
	for n := len(h.kept) - 1; n >= 0 && (h.bytes > backend.MaxServices || len(h.bared) > 0 && h.kept[n].compare(h.bared[0]) > 0); n-- {
		youngest := h.kept[n]
		h.kept = slices.Delete(h.kept, n, n+1)
		h.bytes -= youngest.bytes
		out = append(out, youngest.service)
		youngest.service = nil
		h.bared = enter(h.bared, youngest)
	}
	return out
}

// leave takes the place of a Service away.
func (z Shares) leave(s *backend.Service) {
	h := z[s.Namespace]
	if h == nil {
		return
	}
	p := placeOf(s)
	if i, found := slices.BinarySearchFunc(h.kept, p, place.compare); found {
		h.bytes -= h.kept[i].bytes
		h.kept = slices.Delete(h.kept, i, i+1)
	}
	if i, found := slices.BinarySearchFunc(h.bared, p, place.compare); found {
		h.bared = slices.Delete(h.bared, i, i+1)
	}
	if len(h.kept)+len(h.bared) == 0 {
		delete(z, s.Namespace)
	}
}

// next is the oldest Service that is bare, if there is room for it.
func (z Shares) next(namespace string) (ref backend.Ref, ok bool) {
	h := z[namespace]
	if h == nil || len(h.bared) == 0 || h.bytes+h.bared[0].bytes > backend.MaxServices {
		return ref, false
	}
	return backend.Ref{Namespace: namespace, Name: h.bared[0].name}, true
}

func enter(list []place, p place) []place {
	i, _ := slices.BinarySearchFunc(list, p, place.compare)
	return slices.Insert(list, i, p)
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
