package store

import (
	"maps"
	"reflect"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// maxExposures is how many exposures of one namespace are kept, those that were seen first: who may write Ingresses may write
// thousands. They lead to Services of the same namespace, so that no other lacks any.
const maxExposures = 1000

// exposures are the ways by which people get to the Services of one namespace, by the object that says so and the Service.
type exposures struct {
	by map[Exposer]map[string][]backend.Exposure
	n  int
}

// Expose enters what an object says that leads people to Services; nothing where it is gone.
func (st *Store) Expose(by Exposer, services map[string][]backend.Exposure) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.opts.leavesOut(by.Namespace) {
		st.expose(by, services)
	}
}

func (st *Store) expose(by Exposer, services map[string][]backend.Exposure) {
	in := st.exposed[by.Namespace]
	if in == nil {
		in = &exposures{by: map[Exposer]map[string][]backend.Exposure{}}
		st.exposed[by.Namespace] = in
	}
	before := in.by[by]
	in.n -= count(before)
	if !st.opts.Unbounded && in.n+count(services) > maxExposures {
		services = nil
	}
	in.n += count(services)
	in.by[by] = services
	if count(services) == 0 {
		delete(in.by, by)
	}
	if len(in.by) == 0 {
		delete(st.exposed, by.Namespace)
	}
	for _, names := range []map[string][]backend.Exposure{before, services} {
		for name := range names {
			if !reflect.DeepEqual(before[name], services[name]) {
				st.touchKnown(backend.Ref{Namespace: by.Namespace, Name: name})
			}
		}
	}
}

func count(services map[string][]backend.Exposure) (n int) {
	for _, ways := range services {
		n += len(ways)
	}
	return n
}

// Exposures are the ways by which people get to a Service, in no order.
func (st *Store) Exposures(ref backend.Ref) []backend.Exposure {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.exposuresOf(ref)
}

func (st *Store) exposuresOf(ref backend.Ref) (list []backend.Exposure) {
	if in := st.exposed[ref.Namespace]; in != nil {
		for services := range maps.Values(in.by) {
			list = append(list, services[ref.Name]...)
		}
	}
	return list
}

// Expose implements Sink.
func (c *Contents) Expose(by Exposer, services map[string][]backend.Exposure) {
	c.exposed[by] = services
}

// replaceExposures makes the store hold these and no others.
func (st *Store) replaceExposures(all map[Exposer]map[string][]backend.Exposure) {
	for _, in := range maps.Clone(st.exposed) {
		for _, by := range slices.Collect(maps.Keys(in.by)) {
			if _, there := all[by]; !there {
				st.expose(by, nil)
			}
		}
	}
	for by, services := range all {
		if !st.opts.leavesOut(by.Namespace) {
			st.expose(by, services)
		}
	}
}
