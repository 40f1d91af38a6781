package inventory

import (
	"cmp"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// choosePrimaries marks at most one accepted instance of each type. The first rule that applies decides: the instance
// that the configuration names; the one that its owner in a trusted namespace names; the recorded one; the oldest that
// works without credentials; the oldest that requires credentials. While a configured or recorded primary is absent or
// down, its place and its credentials stay reserved. One exception: a vouched instance may replace a recorded primary
// that is not vouched.
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

// yield takes the mark from a primary that is a shard, unless a person named it, because another backend sees all its
// data. No other instance gets the place, so the shard has it again while that backend is down.
func yield(list []*backend.Finding) {
	for _, f := range list {
		named := f.PrimaryBy == backend.PrimaryConfigured || f.PrimaryBy == backend.PrimaryAnnotated
		if f.Primary && !named && f.ShardOf != (backend.Key{}) {
			f.Primary, f.PrimaryBy, f.Yields = false, "", true // Provisional stays, so that it is not recorded
		}
	}
}

func (o *Options) choosePrimary(typ string, list []*backend.Finding) {
	slices.SortFunc(list, byAge)
	want, rule := o.wanted(typ, list)
	last := o.StandIns[typ]
	standIn := accepted(list, last.By)
	if rule == backend.PrimaryRecorded && !o.holds(want, list) {
		heirs := filter(list, func(f *backend.Finding) bool { return !lesser(f) && o.vouched(f) })
		if o.oldest(heirs) != nil {
			list, rule = heirs, ""
		}
	}
	if standIn != nil && (rule == "" || rule == backend.PrimaryRecorded && last.For == want) {
		o.standIn(standIn, last.For)
		return
	}
	if rule != "" {
		if f := accepted(list, want); f != nil {
			o.mark(list, f, rule)
			return
		}
		keepPlace(list, want, rule)
		if f := accepted(list, used(list, want)); f != nil && rule == backend.PrimaryRecorded {
			// Both lead to one installation. The place stays recorded for the other one, and credentials never move to
			// another Service without a configuration.
			if o.mark(list, f, rule); f.Primary {
				f.Provisional, f.Blocker = true, want
			}
		}
		return
	}
	if f := o.oldest(list); f != nil {
		// A trusted instance that has no data for now keeps its place, as a recorded one does.
		waiting := filter(list, func(f *backend.Finding) bool { return awaitsData(f) && o.Trusts(f.Namespace) })
		if w := o.oldest(waiting); w != nil && place(w, f) < 0 && !o.mayStandFor(f, w) {
			f = w
		}
		f.Primary, f.PrimaryBy = true, o.byItself(f)
		blocker := o.unread(f, last.For)
		if other := o.mayYield(f, list); other != nil {
			blocker = other.Ref
		}
		f.Provisional, f.Blocker = blocker != backend.Ref{}, blocker
	}
}

// accepted returns the accepted finding of a Service, nil if there is none. An unproven one never counts.
func accepted(list []*backend.Finding, ref backend.Ref) *backend.Finding {
	for _, f := range list {
		if f.Ref == ref && f.Verdict == backend.Accepted && !f.Candidate.Unproven {
			return f
		}
	}
	return nil
}

// used returns the Service that is used instead of a duplicate, otherwise the Service itself.
func used(list []*backend.Finding, ref backend.Ref) backend.Ref {
	for _, f := range list {
		if f.Ref == ref && f.Verdict == backend.Duplicate {
			return f.Winner
		}
	}
	return ref
}

// filter returns the findings that fit.
func filter(all []*backend.Finding, fits func(*backend.Finding) bool) (list []*backend.Finding) {
	for _, f := range all {
		if fits(f) {
			list = append(list, f)
		}
	}
	return list
}

// wanted returns the Service that should be the primary of a type and the rule for it, "" if age decides. An annotation
// counts only if the instance is accepted or unavailable: its owner can repair an unavailable one, but not a duplicate.
func (o *Options) wanted(typ string, list []*backend.Finding) (want backend.Ref, rule backend.PrimaryRule) {
	if ref, ok := o.Primary[typ]; ok {
		return ref, backend.PrimaryConfigured
	}
	annotated := func(f *backend.Finding) bool {
		return f.Candidate.Primary && !f.Candidate.Unproven &&
			(f.Verdict == backend.Accepted || f.Verdict == backend.Unavailable)
	}
	if i := slices.IndexFunc(list, annotated); i >= 0 {
		return list[i].Ref, backend.PrimaryAnnotated
	}
	if ref, ok := o.Recorded[typ]; ok {
		return ref, backend.PrimaryRecorded
	}
	return backend.Ref{}, ""
}

// holds reports whether the recorded primary of a type keeps its place against vouched instances: it is vouched itself,
// it works, also as another Service of its owner's, or it was perhaps not probed yet.
func (o *Options) holds(ref backend.Ref, list []*backend.Finding) bool {
	instead := used(list, ref)
	works := func(f *backend.Finding) bool {
		withheld := f.Observation.Outcome == backend.AuthRequired && !o.tokenHelps(f)
		same := f.Ref == ref || f.Ref == instead && f.Namespace == ref.Namespace
		return same && f.Verdict == backend.Accepted && !f.Candidate.Unproven && !withheld
	}
	return !o.FirstRoundOver || o.vouchesFor(list[0].Type, ref) || slices.ContainsFunc(list, works)
}

// keepPlace records on the other instances of a type that the place of the primary is reserved.
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

// lesser reports whether an instance comes after others: it has no data, or a product brought it along for itself.
func lesser(f *backend.Finding) bool { return f.Observation.NoData || f.Candidate.Bundled != "" }

// awaitsData reports whether an instance comes after others only because it has no data, which may soon change.
func awaitsData(f *backend.Finding) bool { return f.Observation.NoData && f.Candidate.Bundled == "" }

// mark makes the configured, annotated or recorded instance the primary. If a recorded instance is a lesser one, it
// keeps its place, but another instance is the primary for the time being. If the recorded one has no data, the other
// one must be allowed to stand for it.
func (o *Options) mark(byAge []*backend.Finding, f *backend.Finding, rule backend.PrimaryRule) {
	if _, configured := o.Primary[f.Type]; !configured && !f.Candidate.Primary && lesser(f) {
		others := filter(byAge, func(other *backend.Finding) bool {
			return !lesser(other) && (!f.Observation.NoData || o.mayStandFor(other, f))
		})
		if other := o.oldest(others); other != nil {
			o.standIn(other, f.Ref)
			return
		}
	}
	f.Primary, f.PrimaryBy = true, rule
}

// standIn makes an instance the primary for the time being, until another Service takes the place.
func (o *Options) standIn(f *backend.Finding, other backend.Ref) {
	f.Primary, f.PrimaryBy, f.Provisional, f.Blocker = true, o.byItself(f), true, other
}

// byItself returns the rule for a primary that neither a person nor the record names.
func (o *Options) byItself(f *backend.Finding) backend.PrimaryRule {
	switch noAge, locked := f.Service.Created.IsZero(), o.wants(f); { // Services from files have no age
	case noAge && locked:
		return backend.PrimaryFirstLocked
	case noAge:
		return backend.PrimaryFirst
	case locked:
		return backend.PrimaryOldestLocked
	}
	return backend.PrimaryOldest
}

// mayStandFor reports whether a may be the primary while b has no data: it has the same owner, or it is vouched. So a
// stranger with another namespace does not get the place of a primary that was restarted.
func (o *Options) mayStandFor(a, b *backend.Finding) bool {
	return a.Namespace == b.Namespace || o.vouched(a)
}

// byAge orders by age, lesser instances last.
func byAge(a, b *backend.Finding) int {
	return cmp.Or(backend.CompareBool(lesser(a), lesser(b)), place(a, b))
}

// place orders by age. If an age is unknown or both are equal, the Service that a person would use comes first.
func place(a, b *backend.Finding) int {
	return cmp.Or(byCreation(a.Service, b.Service), cmp.Compare(b.Candidate.Strength, a.Candidate.Strength),
		cmp.Compare(a.Candidate.Tier, b.Candidate.Tier), a.Ref.Compare(b.Ref), cmp.Compare(tenant(a), tenant(b)))
}

// oldest returns the oldest accepted instance that works without credentials, nil if no instance is accepted. If all
// require credentials, those come first that can be published: the configuration gives them credentials, or their
// namespace is trusted. An unproven instance never counts.
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

// mayYield returns another candidate that may be the primary instead of f once it works, nil if there is none: an older
// one that is down or has no data, or, in the first round, any that was not probed yet. A candidate outside the trusted
// namespaces does not count against a trusted one, because any owner of a Service could make such a candidate.
func (o *Options) mayYield(f *backend.Finding, byAge []*backend.Finding) *backend.Finding {
	older := true
	for _, other := range byAge {
		outcome := other.Observation.Outcome
		switch {
		case other == f:
			older = false
		case o.Trusts(f.Namespace) && !o.Trusts(other.Namespace):
		case other.Verdict == backend.Accepted && awaitsData(other) && place(other, f) < 0:
			return other
		case other.Verdict != backend.Unavailable:
		case outcome == backend.Forbidden, outcome == backend.ForbiddenByMesh, outcome == backend.LoginRequired:
			// It refuses all clients and is never the primary, so nothing waits for it.
		case outcome == backend.Unprobed && !o.FirstRoundOver:
			return other
		case older && (outcome != backend.NoEndpoints || !o.FirstRoundOver):
			return other // without pods, as after a scale-down to zero, it counts in the first round only
		}
	}
	return nil
}

// unread returns the Service that takes the place from the last primary for the time being, as mayYield does. It cannot
// be read now, so nothing tells whether it works.
func (o *Options) unread(f *backend.Finding, other backend.Ref) backend.Ref {
	if f.Ref == other || o.Trusts(f.Namespace) && !o.Trusts(other.Namespace) {
		return backend.Ref{}
	}
	return other
}

// Trusts reports whether a namespace is among the trusted ones.
func (o *Options) Trusts(namespace string) bool {
	return slices.Contains(o.TrustedNamespaces, namespace)
}
