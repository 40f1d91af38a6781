package store

import (
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Others returns the Services of which only the name is kept, sorted.
func (st *Store) Others() []backend.Ref {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.sorted == nil {
		st.sorted = slices.SortedFunc(maps.Keys(st.others), backend.Ref.Compare)
	}
	return st.sorted
}

// Has reports whether there is a Service of that name.
func (st *Store) Has(ref backend.Ref) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	_, other := st.others[ref]
	return other || st.services[ref] != nil
}

// Services returns the Services that are kept in full, sorted by namespace and name.
func (st *Store) Services() []*backend.Service {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.SortedFunc(maps.Values(st.services), func(a, b *backend.Service) int { return a.Ref.Compare(b.Ref) })
}

// Count returns the number of Services.
func (st *Store) Count() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.services) + len(st.others)
}

// HasNamespace reports whether there is a Service in the namespace.
func (st *Store) HasNamespace(namespace string) bool {
	return slices.ContainsFunc(st.Others(), func(r backend.Ref) bool { return r.Namespace == namespace }) ||
		slices.ContainsFunc(st.Services(), func(s *backend.Service) bool { return s.Namespace == namespace })
}

// Get returns a Service that is kept in full, and its endpoints. Each is nil if it is not known.
func (st *Store) Get(ref backend.Ref) (*backend.Service, *backend.Endpoints) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.services[ref], st.endpoints(ref)
}

// endpoints joins the EndpointSlices of a Service. A Service with a selector gets slices soon after it is made. So if
// it has none, no endpoint is ready. If a Service has no selector and no slices, nothing is known of its endpoints.
func (st *Store) endpoints(ref backend.Ref) *backend.Endpoints {
	s := st.services[ref]
	if s == nil ||
		len(st.slices[ref]) == 0 && (len(s.Selector) == 0 || st.opts.SlicesOptional && !st.sliced[ref.Namespace]) {
		return nil
	}
	e := &backend.Endpoints{}
	for _, part := range st.slices[ref] {
		part.join(e)
	}
	return e
}
