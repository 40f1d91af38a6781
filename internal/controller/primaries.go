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

// present reports for each type whether the Service of its recorded primary still is of that type, or may be. A Service
// that has opted out, that has no candidate any more, or that is known to be something else counts as deleted. Services
// of frozen namespaces are not known, so they count as present.
func (c *Controller) present(findings []*backend.Finding) map[string]bool {
	types := map[backend.Ref][]string{}
	out := map[string]bool{}
	for typ, ref := range c.memory.primaries {
		types[ref] = append(types[ref], typ)
		out[typ] = slices.Contains(c.frozen, ref.Namespace)
	}
	for _, f := range findings {
		for _, typ := range types[f.Ref] {
			out[typ] = out[typ] || c.mayBe(f, typ)
		}
	}
	return out
}

// frozenStandIns returns the primaries for the time being that stay, because the namespace of the Service that would
// take the place cannot be read.
func (c *Controller) frozenStandIns() map[string]backend.StandIn {
	out := map[string]backend.StandIn{}
	for typ, s := range c.memory.standIns {
		if slices.Contains(c.frozen, s.For.Namespace) {
			out[typ] = s
		}
	}
	return out
}

// noteStandIns records the primaries for the time being, also one that lacks credentials because it is no more than
// that, and those of frozen namespaces.
func (m *memory) noteStandIns(frozen map[string]backend.StandIn, findings []*backend.Finding) {
	m.standIns = frozen
	for _, f := range findings {
		if f.Blocker != (backend.Ref{}) {
			m.standIns[f.Type] = backend.StandIn{By: f.Ref, For: f.Blocker}
		}
	}
}

// lastingStandIns returns the primaries for the time being that a restart must not forget, because the namespace of the
// other Service may be frozen then: those for the recorded primary, and trusted ones that get no credential as long as
// another trusted Service may become the primary. Strangers cannot make any of these change.
func (c *Controller) lastingStandIns(primaries map[string]backend.Ref) map[string]backend.StandIn {
	out := map[string]backend.StandIn{}
	trusts := c.opts.Inventory.Trusts
	for typ, s := range c.memory.standIns {
		if primaries[typ] == s.For || trusts(s.By.Namespace) && trusts(s.For.Namespace) {
			out[typ] = s
		}
	}
	return out
}

// mayBe reports whether a finding is of a type, or may be while nothing has proved another one. A backend that was
// found to be a relative of the type that its labels name has that type again while it does not answer.
func (c *Controller) mayBe(f *backend.Finding, typ string) bool {
	proven := f.Observation.Identity || f.Observation.Outcome == backend.Ready
	switch {
	case f.Candidate == nil:
		return false
	case f.Type == typ:
		return f.Verdict != backend.Rejected || f.Observation.Outcome != backend.WrongIdentity
	}
	return !proven && (f.Candidate.Strength == backend.Weak || c.opts.Catalog.Relatives(f.Type, typ))
}

// keepOwn keeps the recorded primaries of owners' types while their Services exist with that type, so that no stranger
// takes the type's name while the backend is down.
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
