package store

import (
	"maps"
	"reflect"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// maxExposures limits the exposures of one namespace that are kept. An owner may write thousands of Ingresses. Objects
// with more than there is room for are left out. They lead to Services of the same namespace, so no other namespace
// loses any.
const maxExposures = 2000

// exposures are the exposures of the Services of one namespace, by the object that has them and the Service.
type exposures struct {
	by map[Exposer]map[string][]backend.Exposure
	// The same by Service, nil when by has changed since. An owner may have thousands of both.
	of     map[string][]backend.Exposure
	number int
}

// Expose records the exposures of an object. services is empty if the object is gone.
func (st *Store) Expose(by Exposer, services map[string][]backend.Exposure) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.expose(by, services)
}

func (st *Store) expose(by Exposer, services map[string][]backend.Exposure) {
	if st.opts.leavesOut(by.Namespace) {
		return
	}
	in := st.exposed[by.Namespace]
	if in == nil {
		in = &exposures{by: map[Exposer]map[string][]backend.Exposure{}}
		st.exposed[by.Namespace] = in
	}
	before := in.by[by]
	in.number -= numberOf(before)
	if !st.opts.Unbounded && in.number+numberOf(services) > maxExposures {
		services = nil
	}
	in.number += numberOf(services)
	in.by[by], in.of = services, nil
	if len(services) == 0 {
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

func numberOf(services map[string][]backend.Exposure) (n int) {
	for _, ways := range services {
		n += len(ways)
	}
	return n
}

// Exposures returns the exposures of a Service, in no order.
func (st *Store) Exposures(ref backend.Ref) []backend.Exposure {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.exposuresOf(ref)
}

func (st *Store) exposuresOf(ref backend.Ref) []backend.Exposure {
	in := st.exposed[ref.Namespace]
	if in == nil {
		return nil
	}
	if in.of == nil {
		in.of = map[string][]backend.Exposure{}
		for by, services := range in.by {
			for name, ways := range services {
				for _, e := range ways {
					e.By = by.Kind + " " + by.Ref.String()
					in.of[name] = append(in.of[name], e)
				}
			}
		}
	}
	return slices.Clone(in.of[ref.Name])
}

// Expose implements Sink.
func (c *Contents) Expose(by Exposer, services map[string][]backend.Exposure) {
	c.exposed[by] = services
}

// replaceExposures makes the store hold these exposures, and no others.
func (st *Store) replaceExposures(all map[Exposer]map[string][]backend.Exposure) {
	for _, in := range maps.Clone(st.exposed) {
		for _, by := range slices.Collect(maps.Keys(in.by)) {
			if _, there := all[by]; !there {
				st.expose(by, nil)
			}
		}
	}
	for by, services := range all {
		st.expose(by, services)
	}
}
