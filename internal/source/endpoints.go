package source

import "kubernaut.io/dynamic-toolset/internal/backend"

// Endpoints gathers EndpointSlices by the Service they belong to.
type Endpoints map[backend.Ref]*backend.Endpoints

// Add puts a slice to the others of its Service.
func (e Endpoints) Add(ref backend.Ref, slice backend.EndpointSlice, fqdn bool) {
	all := e.of(ref)
	all.FQDN = all.FQDN || fqdn
	if !fqdn {
		all.Slices = append(all.Slices, slice)
	}
}

// Crowd says that not all slices of a Service are added in full.
func (e Endpoints) Crowd(ref backend.Ref) { e.of(ref).Crowded = true }

func (e Endpoints) of(ref backend.Ref) *backend.Endpoints {
	all := e[ref]
	if all == nil {
		all = new(backend.Endpoints)
		e[ref] = all
	}
	return all
}

// Prune forgets the Services that keep says no to: slices may arrive before it is known which Services matter.
func (e Endpoints) Prune(keep func(backend.Ref) bool) {
	for ref := range e {
		if !keep(ref) {
			delete(e, ref)
		}
	}
}
