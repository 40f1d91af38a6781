package store

import (
	"maps"
	"reflect"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// maxExposures limits the links of one namespace that are kept, and the exposures that give no link. An owner may write
// thousands of Ingresses. The first ones are kept. Links lead to Services of the same namespace, so no other namespace
// loses any.
const maxExposures = 1000

// exposures are the exposures of the Services of one namespace, by the object that has them and the Service.
type exposures struct {
	by map[Exposer]map[string][]backend.Exposure
	// The same by Service, nil when by has changed since. An owner may have thousands of both.
	of map[string][]backend.Exposure
	// The number of links, and of exposures that give none. Each has its own limit.
	links, others int
}

// Expose records the exposures of an object. services is empty if the object is gone.
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
	in.count(before, -1)
	if !st.opts.Unbounded {
		services = in.fit(services)
	}
	in.count(services, 1)
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

// count adds n for each exposure of an object.
func (in *exposures) count(services map[string][]backend.Exposure, n int) {
	for _, ways := range services {
		for i := range ways {
			if ways[i].Not == "" {
				in.links += n
			} else {
				in.others += n
			}
		}
	}
}

// fit returns the exposures of an object without those over the limit.
func (in *exposures) fit(services map[string][]backend.Exposure) map[string][]backend.Exposure {
	now := *in
	now.count(services, 1)
	if now.links <= maxExposures && now.others <= maxExposures {
		return services
	}
	fitting := map[string][]backend.Exposure{}
	for name, ways := range services {
		ways = slices.DeleteFunc(slices.Clone(ways), func(e backend.Exposure) bool {
			return e.Not == "" && now.links > maxExposures || e.Not != "" && now.others > maxExposures
		})
		if len(ways) > 0 {
			fitting[name] = ways
		}
	}
	return fitting
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
		if !st.opts.leavesOut(by.Namespace) {
			st.expose(by, services)
		}
	}
}
