package controller

import (
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Limits for the recorded primaries of owners' types that are not published. state.json takes room in the ConfigMap,
// and an owner may invent any number of types.
const (
	maxOwnRecords    = 1 << 10 // bytes of one namespace
	maxAllOwnRecords = 64 << 10
)

// keepOwn keeps the recorded primaries of owners' types. Published ones are limited like other instances. One that is
// not published is kept while its Service exists with that type, so that no stranger takes the type's name while the
// backend is down.
func (c *Controller) keepOwn(primaries map[string]backend.Ref, findings []*backend.Finding) {
	known := map[backend.Key]backend.Verdict{}
	for _, f := range findings {
		if f.Candidate != nil && c.isOwn(f.Type) {
			known[backend.Key{Ref: f.Ref, Type: f.Type}] = f.Verdict
		}
	}
	taken, all := map[string]int{}, 0
	for _, typ := range slices.Sorted(maps.Keys(c.memory.primaries)) {
		ref := c.memory.primaries[typ]
		verdict, there := known[backend.Key{Ref: ref, Type: typ}]
		if !c.isOwn(typ) || !there && !slices.Contains(c.frozen, ref.Namespace) {
			continue
		}
		if verdict != backend.Accepted && !c.opts.Inventory.Trusts(ref.Namespace) {
			size := len(typ) + len(ref.Namespace) + len(ref.Name)
			if taken[ref.Namespace]+size > maxOwnRecords || all+size > maxAllOwnRecords {
				continue
			}
			taken[ref.Namespace], all = taken[ref.Namespace]+size, all+size
		}
		primaries[typ] = ref
	}
}

// isOwn reports whether a type was named by an owner instead of the catalog. There may be any number of such types.
func (c *Controller) isOwn(typ string) bool {
	return typ != backend.TypeCustom && typ != backend.TypeMCP && c.opts.Catalog.Lookup(typ) == nil
}
