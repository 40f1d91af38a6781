package source

import "kubernaut.io/dynamic-toolset/internal/backend"

// Endpoints gathers EndpointSlices by the Service they belong to.
type Endpoints map[backend.Ref]*backend.Endpoints

// Add puts a slice to the others of its Service.
func (e Endpoints) Add(ref backend.Ref, slice backend.EndpointSlice, fqdn bool) {
	all := e[ref]
	if all == nil {
		all = new(backend.Endpoints)
		e[ref] = all
	}
	all.FQDN = all.FQDN || fqdn
	if !fqdn {
		all.Slices = append(all.Slices, slice)
	}
}

// Prune forgets the Services that keep says no to: slices may arrive before it is known which Services matter.
func (e Endpoints) Prune(keep func(backend.Ref) bool) {
	for ref := range e {
		if !keep(ref) {
			delete(e, ref)
		}
	}
}
