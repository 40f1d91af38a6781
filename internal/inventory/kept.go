package inventory

import (
	"slices"
	"unique"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// kept holds the Services of one namespace and type that stay, the preferred ones first. A Service that may yield is
// looked up by the traits that make two Services the same. It is not compared with each, because a namespace may hold
// thousands.
type kept struct {
	list  []*front
	by    map[trait]*found
	tiers []int
	owner map[endpoint]*front // the first Service that has each endpoint
}

// trait is the key by which a Service that stays is looked up. All fields except the kind may be empty.
type trait struct {
	kind     traitKind
	set, and unique.Handle[string]
	text     string
	release  release
	number   int
	tenant   string
}

type traitKind int

const (
	bySelector     traitKind = iota // set
	byTwinSelector                  // set, one of the twins
	byTarget                        // set, text: the target port, number: its form
	byForm                          // set, number: the form of the target port, a name or a number
	byV4                            // set: the ready endpoints of one family, with any of the other
	byV6
	byReady   // set and: the ready endpoints of both families
	byAll     // set: the endpoints, ready or not
	byStem    // text, number: the tier
	byCluster // text, number: the tier
	byRelease // release, number: the tier
	byProxy   // release without an application
)

// allTenants stands for any tenant in a trait; no tenant has this name.
const allTenants = "/"

// found holds the first Service with a trait and the first other Service. The second is needed because a Service is
// never its own duplicate. any includes all Services. plain includes only twins and Services that their owner did not
// include.
type found struct{ any, plain [2]*front }

func enterFirst(two *[2]*front, o *front) {
	switch {
	case two[0] == nil:
		two[0] = o
	case two[1] == nil && two[0].Ref != o.Ref:
		two[1] = o
	}
}

func newKept() *kept {
	return &kept{by: map[trait]*found{}, owner: map[endpoint]*front{}}
}

func (k *kept) add(o *front) {
	o.place = len(k.list)
	k.list = append(k.list, o)
	if !slices.Contains(k.tiers, o.Candidate.Tier) {
		k.tiers = append(k.tiers, o.Candidate.Tier)
	}
	if len(o.Service.Selector) > 0 {
		exact, alike, _ := targets(o)
		k.enter(o, trait{kind: bySelector, set: o.selects})
		k.enter(o, exact)
		k.enter(o, alike)
		if o.twin {
			k.enter(o, trait{kind: byTwinSelector, set: o.selects})
		}
	}
	if len(o.v4.list) > 0 {
		k.enter(o, trait{kind: byV4, set: o.v4.id})
	}
	if len(o.v6.list) > 0 {
		k.enter(o, trait{kind: byV6, set: o.v6.id})
	}
	if o.known() {
		k.enter(o, trait{kind: byReady, set: o.v4.id, and: o.v6.id})
	}
	if o.close() {
		k.enter(o, trait{kind: byAll, set: o.all.id})
	}
	for _, t := range o.installations(o.Candidate.Tier) {
		k.enter(o, t)
	}
	if o.proxy() {
		for _, t := range o.proxied() {
			k.enter(o, t)
		}
	}
	for _, p := range o.all.list {
		if k.owner[p] == nil {
			k.owner[p] = o
		}
	}
}

func (k *kept) enter(o *front, t trait) {
	for _, t.tenant = range [...]string{o.Candidate.Tenant, allTenants} {
		f := k.by[t]
		if f == nil {
			f = &found{}
			k.by[t] = f
		}
		enterFirst(&f.any, o)
		if o.Candidate.Strength != backend.Explicit || o.twin {
			enterFirst(&f.plain, o)
		}
	}
}

// targets returns the traits of a Service's selector with its target port, with any target port of the same form, and
// with any of the other form. A named and a numeric target port may be the same port; if the selectors are equal, they
// count as the same.
func targets(f *front) (exact, alike, other trait) {
	target := f.Candidate.Port.Target
	form, otherForm := int(intstr.Int), int(intstr.String)
	if target.Type == intstr.String {
		form, otherForm = otherForm, form
	}
	return trait{kind: byTarget, set: f.selects, text: target.String(), number: form},
		trait{kind: byForm, set: f.selects, number: form}, trait{kind: byForm, set: f.selects, number: otherForm}
}

// installations returns the traits of parts of a tier in the installations that f belongs to. A cluster's own label is
// exact, so the name counts only without it: the name of another cluster may end in a word for a node.
func (f *front) installations(tier int) (list []trait) {
	switch c := f.Candidate; {
	case c.Cluster != "":
		list = append(list, trait{kind: byCluster, text: c.Cluster, number: tier})
	case c.Stem != "":
		list = append(list, trait{kind: byStem, text: c.Stem, number: tier})
	}
	for _, r := range f.releases {
		list = append(list, trait{kind: byRelease, release: r, number: tier})
	}
	return list
}

// proxy reports whether f is a proxy in front of a backend, as the probe proved or its owner says.
func (f *front) proxy() bool {
	return f.Candidate.Tier == backend.TierFront && f.Verdict == backend.Accepted
}

// proxied returns the traits of a proxy in front of f. The proxy is a different application of the same installation.
func (f *front) proxied() (list []trait) {
	for _, r := range f.releases {
		r.app = ""
		list = append(list, trait{kind: byProxy, release: r})
	}
	return list
}

// find returns the first Service that f is a duplicate of, nil if there is no such Service. A Service that its owner
// included stays. The inclusion does not remove an equally good Service beside it: the owner means both, for example
// if one backend has several tenants.
func (k *kept) find(f *front) (first *front) {
	if f.Candidate.Strength == backend.Explicit {
		return nil
	}
	// Two parts of one distributed installation, such as a gateway and the query frontend behind it.
	for _, tier := range k.tiers {
		if tier != f.Candidate.Tier {
			for _, t := range f.installations(tier) {
				first = sooner(first, k.look(f, t, true))
			}
		}
	}
	if f.Candidate.Tier != backend.TierFront {
		for _, t := range f.proxied() {
			first = sooner(first, k.look(f, t, true))
		}
	}
	for _, t := range f.sames() {
		first = sooner(first, k.look(f, t, f.twin))
	}
	for _, o := range k.list[:min(len(k.list), maxClose)] {
		if first != nil && first.place <= o.place {
			break
		}
		if f.twinOf(o) {
			return o
		}
	}
	return first
}

// sames returns the traits of Services that lead to the same backend. Equal selectors prove this even while the
// EndpointSlices of one Service are slightly older. Otherwise the endpoints decide, if they are known: the ready
// endpoints must be the same, though one Service may have one address family and the other both.
func (f *front) sames() (list []trait) {
	if len(f.Service.Selector) > 0 {
		exact, _, other := targets(f)
		list = append(list, exact, other, trait{kind: byTwinSelector, set: f.selects})
		if f.twin {
			list = append(list, trait{kind: bySelector, set: f.selects})
		}
	}
	has4, has6 := len(f.v4.list) > 0, len(f.v6.list) > 0
	switch {
	case has4 && has6:
		list = append(list, trait{kind: byReady, set: f.v4.id, and: f.v6.id},
			trait{kind: byReady, set: f.v4.id, and: noAddresses}, trait{kind: byReady, set: noAddresses, and: f.v6.id})
	case has4:
		list = append(list, trait{kind: byV4, set: f.v4.id})
	case has6:
		list = append(list, trait{kind: byV6, set: f.v6.id})
	}
	if f.close() {
		list = append(list, trait{kind: byAll, set: f.all.id})
	}
	return list
}

// look returns the first other Service of the same tenant that has a trait.
func (k *kept) look(f *front, t trait, included bool) (first *front) {
	tenants := []string{allTenants}
	if f.Candidate.Tenant != "" {
		tenants = []string{"", f.Candidate.Tenant}
	}
	for _, t.tenant = range tenants {
		if found := k.by[t]; found != nil {
			two := found.plain
			if included {
				two = found.any
			}
			if two[0] != nil && two[0].Ref == f.Ref {
				two[0] = two[1]
			}
			first = sooner(first, two[0])
		}
	}
	return first
}

// sooner returns the preferred of two Services; either may be nil.
func sooner(a, b *front) *front {
	if a == nil || b != nil && b.place < a.place {
		return b
	}
	return a
}
