package store

import (
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Contents holds the objects of one file. It is a Sink.
type Contents struct {
	relevant func(*backend.Service) bool
	services map[backend.Ref]backend.Service
	slices   map[backend.Ref]owned // by their own names
	exposed  map[Exposer]map[string][]backend.Exposure
}

// owned is an EndpointSlice with its Service.
type owned struct {
	Slice
	service backend.Ref
}

// NewContents returns empty contents for this store.
func (st *Store) NewContents() *Contents {
	return &Contents{
		relevant: st.opts.Relevant, services: map[backend.Ref]backend.Service{}, slices: map[backend.Ref]owned{},
		exposed: map[Exposer]map[string][]backend.Exposure{},
	}
}

// Service implements Sink.
func (c *Contents) Service(s backend.Service) {
	if !c.relevant(&s) {
		s = backend.Service{Ref: s.Ref}
	}
	c.services[s.Ref] = s
}

// Slice implements Sink.
func (c *Contents) Slice(service backend.Ref, s Slice) {
	c.slices[backend.Ref{Namespace: service.Namespace, Name: s.Name}] = owned{s, service}
}

// Replace makes the store hold all these contents, and nothing else. If a Service is in several, the last one counts,
// as with kubectl apply.
func (st *Store) Replace(all ...*Contents) {
	whole := st.NewContents()
	for _, c := range all {
		maps.Copy(whole.services, c.services)
		maps.Copy(whole.slices, c.slices)
		maps.Copy(whole.exposed, c.exposed)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, s := range whole.services {
		st.set(s)
	}
	before := st.sliced
	st.sliced = map[string]bool{}
	for _, s := range whole.slices {
		st.sliced[s.service.Namespace] = true
		st.enter(s.service, s.Slice)
	}
	for _, ref := range slices.AppendSeq(slices.Collect(maps.Keys(st.services)), maps.Keys(st.others)) {
		if _, there := whole.services[ref]; !there {
			st.delete(ref)
		} else if before[ref.Namespace] != st.sliced[ref.Namespace] {
			st.touchKnown(ref)
		}
	}
	for name := range st.owners {
		if _, there := whole.slices[name]; !there {
			st.dropSlice(name)
		}
	}
	st.replaceExposures(whole.exposed)
}
