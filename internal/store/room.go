package store

import (
	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The EndpointSlices of a namespace, which its owner writes, have a bound in memory (backend.MaxSlices). Of a slice
// beyond it little more than the name is kept, and of its Service nothing is concluded until there is room again:
// then the slices of such Services are missing, and are read.

// Bare is a slice of which no addresses and ports are kept, but for what is denied.
func (s Slice) Bare() Slice {
	return Slice{Name: s.Name, EndpointSlice: backend.EndpointSlice{Denied: s.Denied}, FQDN: s.FQDN, Bared: s.full()}
}

// full is the size of the slice as it was given.
func (s *Slice) full() int { return max(s.Bared, s.Size()) }

// Sizes adds up what slices take, by namespace, for a reader that has many at once.
type Sizes map[string]int

// Fit is the slice, or what is kept of it where those of the namespace so far leave no room.
func (z Sizes) Fit(namespace string, s Slice) Slice {
	if z[namespace] += s.full(); z[namespace] > backend.MaxSlices {
		return s.Bare()
	}
	return s
}

// fit does that for a slice that comes to a Service, in place of one that took so much before.
func (st *Store) fit(service backend.Ref, s Slice, before int) Slice {
	if st.opts.Unbounded {
		return s
	}
	st.sizes[service.Namespace] -= before
	if s = st.sizes.Fit(service.Namespace, s); s.Bared > 0 && st.services[service] != nil {
		st.noteBared(service)
	}
	return s
}

// noteBared notes that of a Service not all slices are kept in full.
func (st *Store) noteBared(service backend.Ref) {
	if st.bared[service.Namespace] == nil {
		st.bared[service.Namespace] = map[backend.Ref]bool{}
	}
	st.bared[service.Namespace][service] = true
}

// leave gives the room of a slice back.
func (st *Store) leave(service backend.Ref, s *Slice) {
	if st.opts.Unbounded {
		return
	}
	if st.sizes[service.Namespace] -= s.full(); st.sizes[service.Namespace] <= 0 {
		delete(st.sizes, service.Namespace)
	}
}

// refill has the slices that are not kept in full read once those of the namespace take half of the room at most, so
// that one who goes to and fro at the bound does not have them read each time.
func (st *Store) refill(namespace string) {
	waiting := st.bared[namespace]
	if len(waiting) == 0 || st.sizes[namespace] > backend.MaxSlices/2 {
		return
	}
	delete(st.bared, namespace)
	for ref := range waiting {
		if len(st.slices[ref]) > 0 {
			st.miss(ref)
			st.forget(ref)
		}
	}
}

// forget drops all slices of a Service, at once: it may have tens of thousands.
func (st *Store) forget(service backend.Ref) {
	list := st.slices[service]
	if len(list) == 0 {
		return
	}
	for _, s := range list {
		delete(st.owners, backend.Ref{Namespace: service.Namespace, Name: s.Name})
		st.leave(service, s)
	}
	delete(st.slices, service)
	st.left(service)
}
