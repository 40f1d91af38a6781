package controller

import (
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Bounds on the recorded primaries of types of the owners' own, of what is not published: state.json takes room in the
// ConfigMap, and an owner may think of ever new types.
const (
	maxOwnRecords    = 1 << 10 // bytes of one namespace
	maxAllOwnRecords = 64 << 10
)

// keepOwn records again the primaries of types of the owners' own. A published one is bounded as instances are.
// Another's place is kept while its Service is there as that type, so that no stranger takes the name of the type
// while it is down.
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
		if !c.isOwn(typ) || !there && !slices.Contains(c.source.Frozen(), ref.Namespace) {
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

// isOwn reports whether a type is a name of the owners' own: there may be any number of them.
func (c *Controller) isOwn(typ string) bool {
	return typ != backend.TypeCustom && typ != backend.TypeMCP && c.opts.Catalog.Lookup(typ) == nil
}
