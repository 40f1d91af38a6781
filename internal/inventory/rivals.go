package inventory

import (
	"slices"
	"unique"
)

// rivals are the Services of one namespace and type that are used, found by what a duplicate has in common with one: an owner
// may have thousands, and to compare each with all would hold up everybody.
type rivals struct {
	kept   []*front
	by     map[trait][]int // places in kept, in order
	common map[trait]int   // how many Services have an endpoint or a term of the selector
}

// trait is what two Services have in common; is tells the kinds apart.
type trait struct {
	is       traitKind
	text     unique.Handle[string]
	endpoint endpoint
}

type traitKind int

const (
	sameSelector traitKind = iota
	sameV4
	sameV6
	sameAll
	sameStem
	sameRelease // and, of the other way in which charts name them,
	sameOldRelease
	hasEndpoint  // is among its endpoints
	rareEndpoint // is the one of its ready endpoints that the fewest others have
	hasTerm      // the same two of the terms of its selector
	rareTerm
)

func newRivals(list []*front) *rivals {
	r := &rivals{by: map[trait][]int{}, common: map[trait]int{}}
	for _, f := range list {
		for _, t := range slices.Concat(f.endpoints(hasEndpoint), f.terms(hasTerm)) {
			r.common[t]++
		}
	}
	return r
}

// add takes in a Service that is used.
func (r *rivals) add(f *front) {
	at := len(r.kept)
	r.kept = append(r.kept, f)
	for _, t := range slices.Concat(f.equals(), f.endpoints(hasEndpoint), f.terms(hasTerm),
		r.rarest(f.ready(), rareEndpoint), r.rarest(f.terms(hasTerm), rareTerm)) {
		r.by[t] = append(r.by[t], at)
	}
}

// winner is the most preferred Service that f yields to, nil for none. What f yields to has a trait of f, or all endpoints or
// terms of one are among those of the other; then the rarest of them is.
func (r *rivals) winner(f *front) *front {
	var places []int
	for _, t := range slices.Concat(f.equals(), f.endpoints(rareEndpoint), f.terms(rareTerm),
		r.rarest(f.ready(), hasEndpoint), r.rarest(f.terms(hasTerm), hasTerm)) {
		places = append(places, r.by[t]...)
	}
	slices.Sort(places)
	for _, at := range slices.Compact(places) {
		if f.yields(r.kept[at]) {
			return r.kept[at]
		}
	}
	return nil
}

// rarest is the one of the traits that the fewest have, as one of another kind; none where there are none.
func (r *rivals) rarest(of []trait, is traitKind) []trait {
	if len(of) == 0 {
		return nil
	}
	rare := slices.MinFunc(of, func(a, b trait) int { return r.common[a] - r.common[b] })
	rare.is = is
	return []trait{rare}
}

// equals are the traits that two have who are the same in one respect.
func (f *front) equals() (list []trait) {
	add := func(is traitKind, has bool, text unique.Handle[string]) {
		if has {
			list = append(list, trait{is: is, text: text})
		}
	}
	add(sameSelector, len(f.selector) > 0, f.selects)
	add(sameV4, len(f.v4.list) > 0, f.v4.id)
	add(sameV6, len(f.v6.list) > 0, f.v6.id)
	add(sameAll, len(f.all.list) > 0, f.all.id)
	add(sameStem, f.Candidate.Stem != "", unique.Make(f.Candidate.Stem))
	for i, is := range [...]traitKind{sameRelease, sameOldRelease} {
		add(is, f.releases[i] != "", unique.Make(f.releases[i]))
	}
	return list
}

// endpoints are all of them, of a Service with few enough to compare closely.
func (f *front) endpoints(is traitKind) (list []trait) {
	if len(f.all.list) <= maxTwin {
		for _, p := range f.all.list {
			list = append(list, trait{is: is, endpoint: p})
		}
	}
	return list
}

// ready are those that are.
func (f *front) ready() (list []trait) {
	if len(f.all.list) <= maxTwin {
		for _, p := range slices.Concat(f.v4.list, f.v6.list) {
			list = append(list, trait{is: hasEndpoint, endpoint: p})
		}
	}
	return list
}

func (f *front) terms(is traitKind) (list []trait) {
	for _, term := range f.selector {
		list = append(list, trait{is: is, text: unique.Make(term)})
	}
	return list
}
