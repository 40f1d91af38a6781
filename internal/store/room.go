package store

import (
	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The EndpointSlices of a namespace, which its owner writes, have a limit in memory (backend.MaxSlices). A slice over
// the limit is kept without addresses and ports, and nothing is decided about its Service until there is room again.
// Then all slices of the Service are missing, and are read.

// Bare returns the slice without addresses and ports, except the denied address.
func (s Slice) Bare() Slice {
	return Slice{Name: s.Name, EndpointSlice: backend.EndpointSlice{Denied: s.Denied}, FQDN: s.FQDN, Bared: s.full()}
}

// full returns the size of the slice as it was read.
func (s *Slice) full() int { return max(s.Bared, s.Size()) }

// Sizes has the total size of the EndpointSlices of each namespace, for a reader of many slices.
type Sizes map[string]int

// Fit returns the slice, or a bare one if the namespace has no room for it.
func (z Sizes) Fit(namespace string, s Slice) Slice {
	if z[namespace] += s.full(); z[namespace] > backend.MaxSlices {
		return s.Bare()
	}
	return s
}

// fit does the same for a slice of a Service. before is the size of the slice that it replaces.
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

// noteBared records that not all slices of a Service are kept in full.
func (st *Store) noteBared(service backend.Ref) {
	if st.bared[service.Namespace] == nil {
		st.bared[service.Namespace] = map[backend.Ref]bool{}
	}
	st.bared[service.Namespace][service] = true
}

// leave frees the room of a slice.
func (st *Store) leave(service backend.Ref, s *Slice) {
	if st.opts.Unbounded {
		return
	}
	if st.sizes[service.Namespace] -= s.full(); st.sizes[service.Namespace] <= 0 {
		delete(st.sizes, service.Namespace)
	}
}

// refill makes the slices that are not kept in full missing, so that they are read, when the slices of the namespace
// take at most half of the room. If an owner goes to and fro around the limit, they are not read each time.
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

// forget drops all slices of a Service at once, because there may be tens of thousands.
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
