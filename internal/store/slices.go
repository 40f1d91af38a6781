package store

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Slice is an EndpointSlice of a namespace.
type Slice struct {
	Name string
	backend.EndpointSlice
	FQDN  bool // it has host names, which get no connection
	Bared int  // its full size if it is not kept in full, else 0
}

func find(sorted []*Slice, name string) (at int, known bool) {
	return slices.BinarySearchFunc(sorted, name,
		func(s *Slice, name string) int { return strings.Compare(s.Name, name) })
}

// Join joins the EndpointSlices of a Service, which must be sorted by name.
func Join(sorted []Slice) *backend.Endpoints {
	e := &backend.Endpoints{}
	for i := range sorted {
		sorted[i].join(e)
	}
	return e
}

func (s *Slice) join(e *backend.Endpoints) {
	e.FQDN, e.Crowded = e.FQDN || s.FQDN, e.Crowded || s.Bared > 0
	if !s.FQDN && (s.Bared == 0 || s.Denied.IsValid()) {
		e.Slices = append(e.Slices, s.EndpointSlice)
	}
}

// Slice records an EndpointSlice as it is now. It belongs to this Service of its namespace, and to no other any more.
// If the Service has no name, the slice belongs to none.
func (st *Store) Slice(service backend.Ref, s Slice) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.enter(service, s)
}

func (st *Store) enter(service backend.Ref, s Slice) {
	if st.opts.leavesOut(service.Namespace) {
		return
	}
	name := backend.Ref{Namespace: service.Namespace, Name: s.Name}
	if old, ok := st.owners[name]; ok && old != service {
		st.dropSlice(name)
	}
	if service.Name == "" {
		return
	}
	if st.opts.SlicesOptional && !st.sliced[service.Namespace] {
		st.sliced[service.Namespace] = true
		for ref := range st.services {
			if ref.Namespace == service.Namespace {
				st.touch(ref)
			}
		}
	}
	if !st.ignores(service) {
		st.setSlice(name, service, s)
		st.refill(service.Namespace)
	}
}

func (st *Store) setSlice(name, service backend.Ref, s Slice) {
	st.owners[name] = service
	st.most = max(st.most, len(st.owners))
	list := st.slices[service]
	i, known := find(list, name.Name)
	before := 0
	if known {
		before = list[i].full()
	}
	s = st.fit(service, s, before)
	switch {
	case !known:
		st.slices[service] = slices.Insert(list, i, &s)
	case reflect.DeepEqual(*list[i], s):
		return
	default:
		list[i] = &s
	}
	st.touchKnown(service)
}

// DeleteSlice removes an EndpointSlice by its own name.
func (st *Store) DeleteSlice(name backend.Ref) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.dropSlice(name)
	st.deletedWhileMissing(name)
}

// Skip records that an EndpointSlice was seen while its Service matched no type. The Service may match one by now, and
// its slices may have been read.
func (st *Store) Skip(name, service backend.Ref) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if owner, ok := st.owners[name]; ok && (owner != service || st.ignores(service)) {
		st.dropSlice(name)
	}
}

func (st *Store) dropSlice(name backend.Ref) {
	service, ok := st.owners[name]
	if !ok {
		return
	}
	delete(st.owners, name)
	list := st.slices[service]
	if i, known := find(list, name.Name); known {
		st.leave(service, list[i])
		list = slices.Delete(list, i, i+1)
	}
	if st.slices[service] = list; len(list) == 0 {
		delete(st.slices, service)
	}
	st.left(service)
}

// left records that a Service has fewer slices than before.
func (st *Store) left(service backend.Ref) {
	st.shrink()
	st.touchKnown(service)
	st.refill(service.Namespace)
}

// shrink copies the maps of slices when most slices are gone, because a map never gets smaller. Slices come before
// their Services, and then most of them are dropped.
func (st *Store) shrink() {
	const few, share = 1024, 4
	if st.most < few || len(st.owners) > st.most/share {
		return
	}
	st.most = len(st.owners)
	bySlice, byService := st.owners, st.slices
	st.owners = make(map[backend.Ref]backend.Ref, len(bySlice))
	st.slices = make(map[backend.Ref][]*Slice, len(byService))
	maps.Copy(st.owners, bySlice)
	maps.Copy(st.slices, byService)
}
