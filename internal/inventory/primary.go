package inventory

import (
	"cmp"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// choosePrimaries marks at most one accepted instance of each type: the configured one; else the one that its owner in
// a trusted namespace wants as such; else the recorded one; else the oldest Service that works without credentials;
// else the oldest that wants some. The place of a configured or a recorded one is kept while it is absent or down: no
// other instance takes it, nor its credentials; only from a recorded one that the configuration does not vouch for does
// one take it that it vouches for.
func choosePrimaries(all []*backend.Finding, o Options) {
	byType := map[string][]*backend.Finding{}
	for _, f := range all {
		if f.Candidate != nil {
			byType[f.Type] = append(byType[f.Type], f)
		}
	}
	for typ, list := range byType {
		o.choosePrimary(typ, list)
		yield(list)
	}
}

// yield has a primary that is a shard stand back, unless a person named it: what sees all of it stands for it. Its
// place is not given to another instance, so that it has it again while that one is down.
func yield(list []*backend.Finding) {
	for _, f := range list {
		named := f.PrimaryBy == backend.PrimaryConfigured || f.PrimaryBy == backend.PrimaryAnnotated
		if f.Primary && !named && f.ShardOf != (backend.Key{}) {
			f.Primary, f.PrimaryBy, f.Yields = false, "", true // Provisional stays: such a one is not recorded
		}
	}
}

func (o *Options) choosePrimary(typ string, list []*backend.Finding) {
	slices.SortFunc(list, byAge)
	want, rule := o.wanted(typ, list)
	if rule == backend.PrimaryRecorded && !o.holds(want, list) {
		if heirs := o.heirs(list); o.oldest(heirs) != nil {
			list, rule = heirs, ""
		}
	}
	if rule != "" {
		named := func(f *backend.Finding) bool { return f.Ref == want && f.Verdict == backend.Accepted }
		if i := slices.IndexFunc(list, named); i >= 0 {
			o.mark(list, list[i], rule)
		} else {
			keepPlace(list, want, rule)
		}
		return
	}
	if f := o.oldest(list); f != nil {
		// One that is trusted and has no data for now keeps its place as a recorded one does.
		others := slices.DeleteFunc(slices.Clone(list),
			func(f *backend.Finding) bool { return withData(f) || !o.Trusts(f.Namespace) })
		if empty := o.oldest(others); empty != nil && place(empty, f) < 0 && !o.mayStandFor(f, empty) {
			f = empty
		}
		f.Primary, f.PrimaryBy = true, o.byItself(f)
		if other := o.mayYield(f, list); other != nil {
			f.Provisional, f.Blocker = true, other.Ref
		}
	}
}

// wanted is the Service that is to be the primary of a type, and by which rule; "" where age decides. An annotation
// decides nothing on what cannot be published, as a duplicate: what its owner can mend is only waited for.
func (o *Options) wanted(typ string, list []*backend.Finding) (want backend.Ref, rule backend.PrimaryRule) {
	if ref, ok := o.Primary[typ]; ok {
		return ref, backend.PrimaryConfigured
	}
	annotated := func(f *backend.Finding) bool {
		return f.Candidate.Primary && (f.Verdict == backend.Accepted || f.Verdict == backend.Unavailable)
	}
	if i := slices.IndexFunc(list, annotated); i >= 0 {
		return list[i].Ref, backend.PrimaryAnnotated
	}
	if ref, ok := o.Recorded[typ]; ok {
		return ref, backend.PrimaryRecorded
	}
	return backend.Ref{}, ""
}

// holds reports whether the recorded primary of a type keeps its place from those that the configuration vouches for:
// it is vouched for itself, works, or was perhaps not asked yet.
func (o *Options) holds(ref backend.Ref, list []*backend.Finding) bool {
	works := func(f *backend.Finding) bool {
		withheld := f.Observation.Outcome == backend.AuthRequired && !o.tokenHelps(f)
		return f.Ref == ref && f.Verdict == backend.Accepted && !withheld
	}
	return !o.FirstRoundOver || o.vouchesFor(list[0].Type, ref) || slices.ContainsFunc(list, works)
}

// heirs are the instances that take the place of a recorded primary which does not hold it.
func (o *Options) heirs(list []*backend.Finding) []*backend.Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f *backend.Finding) bool { return lesser(f) || !o.vouched(f) })
}

// keepPlace notes on the instances of a type whose place they do not take.
func keepPlace(list []*backend.Finding, want backend.Ref, rule backend.PrimaryRule) {
	kept := backend.Kept{For: want, By: rule}
	if i := slices.IndexFunc(list, func(f *backend.Finding) bool { return f.Ref == want }); i >= 0 {
		kept.Verdict, kept.Winner = list[i].Verdict, list[i].Winner
	}
	for _, f := range list {
		if f.Ref != want {
			f.Kept = kept
		}
	}
}

// lesser: it has no data, or a product brought it along for itself alone.
func lesser(f *backend.Finding) bool { return f.Observation.NoData || f.Candidate.Bundled != "" }

// withData: it is not the lack of data, which may last for a moment, that has it come after others.
func withData(f *backend.Finding) bool { return !f.Observation.NoData || f.Candidate.Bundled != "" }

// mark makes the configured, the annotated or the recorded instance the primary. A recorded one that is a lesser one
// keeps its place, but stands back while there is another; one without data, which may have some again, only for such
// as may stand for it.
func (o *Options) mark(byAge []*backend.Finding, f *backend.Finding, rule backend.PrimaryRule) {
	if _, configured := o.Primary[f.Type]; !configured && !f.Candidate.Primary && lesser(f) {
		others := slices.DeleteFunc(slices.Clone(byAge), func(other *backend.Finding) bool {
			return lesser(other) || f.Observation.NoData && !o.mayStandFor(other, f)
		})
		if other := o.oldest(others); other != nil {
			other.Primary, other.PrimaryBy, other.Provisional, other.Blocker = true, o.byItself(other), true, f.Ref
			return
		}
	}
	f.Primary, f.PrimaryBy = true, rule
}

// byItself is the rule by which an instance is the primary where neither a person nor the record says which is.
func (o *Options) byItself(f *backend.Finding) backend.PrimaryRule {
	switch noAge, locked := f.Service.Created.IsZero(), o.wants(f); { // files give no age
	case noAge && locked:
		return backend.PrimaryFirstLocked
	case noAge:
		return backend.PrimaryFirst
	case locked:
		return backend.PrimaryOldestLocked
	}
	return backend.PrimaryOldest
}

// mayStandFor reports whether a may be the primary while b has no data: it is of the same owner, or the configuration
// vouches for it. Who may make Services in another namespace does not get the place of a primary that was restarted.
func (o *Options) mayStandFor(a, b *backend.Finding) bool {
	return a.Namespace == b.Namespace || o.vouched(a)
}

// byAge orders by age, lesser ones last.
func byAge(a, b *backend.Finding) int {
	return cmp.Or(backend.CompareBool(lesser(a), lesser(b)), place(a, b))
}

// place orders by age; where no age is known or two are equal, the Service that a person would use comes first.
func place(a, b *backend.Finding) int {
	return cmp.Or(byCreation(a, b), cmp.Compare(b.Candidate.Strength, a.Candidate.Strength),
		cmp.Compare(a.Candidate.Tier, b.Candidate.Tier), a.Ref.Compare(b.Ref), cmp.Compare(tenant(a), tenant(b)))
}

// oldest is the oldest instance that works without credentials; else the oldest that wants some, one that the
// configuration gives some or that is in a trusted namespace first, since only those can be published; else nil. What
// is published unproven is never the primary by its age.
func (o *Options) oldest(byAge []*backend.Finding) *backend.Finding {
	for _, fits := range [...]func(*backend.Finding) bool{
		func(f *backend.Finding) bool { return !o.wants(f) },
		func(f *backend.Finding) bool { return len(o.Credentials[f.Type][f.Ref]) > 0 },
		func(f *backend.Finding) bool { return o.Trusts(f.Namespace) },
		func(*backend.Finding) bool { return true },
	} {
		for _, f := range byAge {
			if f.Verdict == backend.Accepted && !f.Candidate.Unproven && fits(f) {
				return f
			}
		}
	}
	return nil
}

// mayYield is another candidate of the type that may be the primary once it works: an older one that is down or has no
// data, or any that was not asked yet in the first round; else nil. One outside the trusted namespaces does not hold up
// one inside, since whoever may edit a Service could make such a candidate.
func (o *Options) mayYield(f *backend.Finding, byAge []*backend.Finding) *backend.Finding {
	olderThan := true
	for _, other := range byAge {
		if other == f {
			olderThan = false
			continue
		}
		if o.Trusts(f.Namespace) && !o.Trusts(other.Namespace) {
			continue
		}
		if other.Verdict == backend.Accepted && !withData(other) && place(other, f) < 0 {
			return other
		}
		unasked := other.Verdict == backend.Unavailable && other.Observation.Outcome == backend.Unprobed
		// What has no pods, as where somebody scaled it to nothing, is waited for in the first round only.
		empty := other.Observation.Outcome == backend.NoEndpoints && o.FirstRoundOver
		// What lets nobody through is never the primary, so that nothing waits for it.
		if slices.Contains([]backend.Outcome{backend.Forbidden, backend.ForbiddenByMesh, backend.LoginRequired},
			other.Observation.Outcome) {
			continue
		}
		if olderThan && other.Verdict == backend.Unavailable && !empty || unasked && !o.FirstRoundOver {
			return other
		}
	}
	return nil
}

// Trusts reports whether a namespace is among the trusted ones.
func (o *Options) Trusts(namespace string) bool {
	return slices.Contains(o.TrustedNamespaces, namespace)
}
