package inventory

import (
	"cmp"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// perPublished is how many candidates of a namespace are looked at for each that may be published. Most that is no
// backend of its own is the twin of one.
const perPublished = 20

// Bound leaves out the candidates of a namespace beyond what is looked at, each tenant counted, so that who may make Services
// in one decides neither how much is compared nor how much is asked. What the configuration names stays first, then what is
// surest to be a backend, then the oldest. Trusted namespaces have no such bound.
func Bound(all []Detection, o Options) []Detection {
	most := o.MaxPerNamespace * perPublished
	count := map[string]int{}
	for i := range all {
		count[all[i].Service.Namespace] += len(all[i].Candidates)
	}
	over := map[string][]*Detection{}
	out := all
	for i := range all {
		d := &all[i]
		if n := d.Service.Namespace; len(d.Candidates) > 0 && most > 0 && count[n] > most && !o.Trusts(n) {
			if len(over) == 0 {
				out = slices.Clone(all)
			}
			over[n] = append(over[n], &out[i])
		}
	}
	for namespace, list := range over {
		slices.SortFunc(list, o.lookedAtFirst)
		reason := limited(backend.CodeNamespaceCandidates, count[namespace], most)
		left := most
		for _, d := range list {
			if left -= len(d.Candidates); left < 0 {
				d.Type, d.Candidates, d.Rejected = d.Candidates[0].Type, nil, reason
			}
		}
	}
	return out
}

func (o *Options) lookedAtFirst(a, b *Detection) int {
	ca, cb := a.Candidates[0], b.Candidates[0]
	return cmp.Or(
		yes(o.names(cb))-yes(o.names(ca)),
		cmp.Compare(cb.Strength, ca.Strength),
		olderService(a.Service, b.Service),
	)
}

// names: the configuration names the Service, for this type.
func (o *Options) names(c *backend.Candidate) bool {
	return o.Primary[c.Type] == c.Service.Ref || len(o.Credentials[c.Type][c.Service.Ref]) > 0
}
