package inventory

import (
	"cmp"
	"slices"
	"unique"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// claimNames lets the older of two Services that claim an instance name keep it. A Service that the configuration
// vouches for comes before others: main/a may be a tenant of main in a trusted namespace, and also a Service of a
// stranger who owns a namespace called main.
func (o *Options) claimNames(all []*backend.Finding) {
	claims := map[[2]string][]*backend.Finding{}
	for _, f := range all {
		if f.Candidate == nil || f.Verdict == backend.Rejected {
			continue
		}
		scope := f.Type
		if f.Candidate.Custom {
			scope = backend.TypeCustom
		}
		key := [2]string{scope, f.Candidate.Instance}
		claims[key] = append(claims[key], f)
	}
	for key, list := range claims {
		if len(list) < 2 {
			continue
		}
		slices.SortFunc(list, func(a, b *backend.Finding) int {
			return cmp.Or(o.byVouched(a, b), olderService(a.Service, b.Service))
		})
		for _, f := range list[1:] {
			f.Verdict = backend.Rejected
			f.Reason = backend.Reason{Code: backend.CodeNameTaken, Details: backend.Details{
				Annotation: "kubernaut.io/toolset-name", Value: key[1], Other: list[0].Ref,
			}}
		}
	}
}

// olderService orders Services by age, then by name.
func olderService(a, b *backend.Service) int { return cmp.Or(byCreation(a, b), a.Ref.Compare(b.Ref)) }

// byCreation orders by age alone. Services of one second, or of no known age, are equal. One without a known age comes
// last.
func byCreation(a, b *backend.Service) int {
	return cmp.Or(backend.CompareBool(a.Created.IsZero(), b.Created.IsZero()), a.Created.Compare(b.Created))
}

// collapse marks a Service as a duplicate if another Service leads to the same backend. The most useful Services come
// first, so each later Service is looked up among those that stay. A namespace has one owner; across namespaces a
// Service yields only to a Service that the configuration vouches for.
func collapse(all []*backend.Finding, endpoints map[backend.Ref]*backend.Endpoints, o *Options) {
	type group struct{ namespace, typ string }
	groups, byType := map[group][]*front{}, map[string][]*front{}
	for _, finding := range all {
		if finding.Candidate == nil || finding.Verdict == backend.Rejected {
			continue
		}
		f := newFront(finding, endpoints[finding.Ref])
		key := group{f.Namespace, f.Type}
		groups[key] = append(groups[key], f)
		if f.known() {
			byType[f.Type] = append(byType[f.Type], f)
		}
	}
	for _, list := range groups {
		o.collapseNamespace(list)
	}
	for _, list := range byType {
		o.collapseAcross(list)
	}
	for _, list := range groups {
		for _, f := range list {
			if f.of != nil {
				f.Verdict, f.Winner, f.Reason = backend.Duplicate, f.used().Ref, f.why
			}
		}
	}
}

// used follows the duplicates to the Service that is used in the end.
func (f *front) used() *front {
	for f.of != nil {
		f = f.of
	}
	return f
}

// maxStay is how many of the Services that stay, the preferred ones, another is compared with, and maxClose how many of
// them may have a twin. As many candidates of a namespace are examined by default (Bound), but some have no such limit.
const (
	maxStay  = 1000
	maxClose = 64
)

func (o *Options) collapseNamespace(list []*front) {
	slices.SortFunc(list, func(a, b *front) int { return o.preference(a.Finding, b.Finding) })
	var stay []*front
	owner := map[endpoint]*front{} // the first Service that has each endpoint
	for _, f := range list {
		if i := slices.IndexFunc(stay[:min(len(stay), maxStay)], f.yieldsTo); i >= 0 {
			f.of, f.why = stay[i], backend.Reason{Code: o.whyNot(f.Finding, stay[i].Finding)}
			continue
		}
		if others := f.covering(owner); len(others) > 0 {
			f.of = others[0]
			f.why = backend.Reason{Code: backend.CodeDuplicateSeveral, Details: backend.Details{Value: names(others)}}
			continue
		}
		f.place = len(stay)
		stay = append(stay, f)
		for _, p := range f.all.list {
			if owner[p] == nil {
				owner[p] = f
			}
		}
	}
}

// collapseAcross compares Services of different namespaces by their endpoints alone. The ready endpoints must be equal
// in both address families. A Service yields to another owner's only if the configuration vouches for that one: a
// stranger who can write Services and EndpointSlices in one namespace can copy a selector and the addresses of any
// backend, and so be published instead of it. A vouched Service still counts if it yielded to a gateway of its own
// namespace. A Service that its owner included stays, as it does within its namespace.
func (o *Options) collapseAcross(list []*front) {
	slices.SortFunc(list, func(a, b *front) int { return o.preference(a.Finding, b.Finding) })
	type ready struct{ v4, v6 unique.Handle[string] }
	alike := map[ready][]*front{} // the Services that the configuration vouches for
	for _, f := range list {
		if o.vouched(f.Finding) && o.vouched(f.used().Finding) {
			key := ready{f.v4.id, f.v6.id}
			alike[key] = append(alike[key], f)
		}
	}
	for _, f := range list {
		if f.of != nil || f.Candidate.Strength == backend.Explicit || o.vouched(f.Finding) {
			continue
		}
		others := alike[ready{f.v4.id, f.v6.id}]
		i := slices.IndexFunc(others, func(b *front) bool {
			used := b.used()
			return b.Namespace != f.Namespace && !differentTenants(f, used) && o.worksAsWell(used.Finding, f.Finding)
		})
		if i >= 0 {
			f.of, f.why = others[i], backend.Reason{Code: backend.CodeDuplicateVouched}
		}
	}
}

// worksAsWell reports whether nothing is lost if a replaces b: the verdict on a is at least as certain, and a does not
// lack credentials that b has.
func (o *Options) worksAsWell(a, b *backend.Finding) bool {
	return certainty(a) <= certainty(b) && (!o.lacksCredentials(a) || o.lacksCredentials(b))
}

// vouched reports whether the configuration names the Service or its namespace.
func (o *Options) vouched(f *backend.Finding) bool { return o.vouchesFor(f.Type, f.Ref) }

// byVouched orders instances that the configuration vouches for before others.
func (o *Options) byVouched(a, b *backend.Finding) int {
	return backend.CompareBool(o.vouched(b), o.vouched(a))
}

func (o *Options) vouchesFor(typ string, ref backend.Ref) bool {
	return o.Trusts(ref.Namespace) || o.named(typ, ref)
}

// named reports whether the configuration names the Service for a type.
func (o *Options) named(typ string, ref backend.Ref) bool {
	return o.Primary[typ] == ref || len(o.Credentials[typ][ref]) > 0
}

// use returns a rank, lower for a more useful finding. A working backend comes before one that was not probed. A
// gateway without a named tenant ranks like one that was not probed, because the backends behind it require a tenant
// too.
func use(f *backend.Finding) int {
	asked := f.Observation.Outcome != backend.Unprobed
	switch {
	case f.Verdict == backend.Accepted && asked:
		return 0
	case f.Verdict == backend.Accepted, f.Candidate.WantsTenant:
		return 1
	}
	return 1 + certainty(f)
}

// preference orders Services of one backend: those that work first, then by what the owner says, then by what a person
// would use.
func (o *Options) preference(a, b *backend.Finding) int {
	ca, cb := a.Candidate, b.Candidate
	return cmp.Or(use(a)-use(b), backend.CompareBool(o.lacksCredentials(a), o.lacksCredentials(b)),
		backend.CompareBool(cb.Strength == backend.Explicit, ca.Strength == backend.Explicit),
		reach(a)-reach(b), cmp.Compare(ca.Tier, cb.Tier), cmp.Compare(cb.Strength, ca.Strength),
		exposure(a.Service)-exposure(b.Service), byCreation(a.Service, b.Service),
		backend.CompareBool(a.Name != a.Type, b.Name != b.Type), len(a.Name)-len(b.Name), a.Ref.Compare(b.Ref),
		cmp.Compare(tenant(a), tenant(b)))
}

// reach ranks an ordinary Service before the headless one of an installation, and that before those for one replica
// each. The one that an operator makes for itself may lead to several installations, so it comes after theirs.
func reach(f *backend.Finding) int {
	headless, one := f.Service.Headless(), perReplica(f.Service)
	switch {
	case headless && one:
		return 4
	case headless && f.Candidate.Tier >= backend.TierTwin:
		return 3
	case one:
		return 2
	case headless:
		return 1
	}
	return 0
}

// exposure ranks a Service for use within the cluster before an exposed one.
func exposure(s *backend.Service) int {
	return max(0, slices.Index([]string{"", "ClusterIP", "NodePort", "LoadBalancer"}, s.Type)-1)
}

func (o *Options) whyNot(f, winner *backend.Finding) backend.Code {
	switch {
	case f.Verdict == backend.Unavailable && winner.Verdict == backend.Accepted:
		return backend.CodeDuplicateDown
	case o.lacksCredentials(f) && !o.lacksCredentials(winner):
		return backend.CodeDuplicateLocked
	case winner.Candidate.Strength == backend.Explicit:
		return backend.CodeDuplicateIncluded
	case f.Service.Headless() && !winner.Service.Headless():
		return backend.CodeDuplicateHeadless
	case perReplica(f.Service) && !perReplica(winner.Service):
		return backend.CodeDuplicateReplica
	case winner.Candidate.Tier < f.Candidate.Tier:
		return backend.CodeDuplicateBehind
	case exposure(winner.Service) < exposure(f.Service):
		return backend.CodeDuplicateExposed
	}
	return backend.CodeDuplicateEqual
}
