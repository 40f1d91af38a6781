package inventory

import (
	"cmp"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/detect"
)

// perPublished is the number of candidates of a namespace that are compared for each that may be published. Most
// candidates that are not published are twins of another.
const perPublished = 20

// Bound drops the candidates of a namespace beyond its limit; each tenant counts. Otherwise the owners of one
// namespace could decide how much is compared and probed. Candidates that the configuration names stay first, then the
// most certain backends, then the oldest. Trusted namespaces have no such limit.
func Bound(all []Detection, o Options) []Detection {
	most := o.MaxPerNamespace * perPublished
	count := map[string]int{}
	for i := range all {
		count[all[i].Service.Namespace] += number(&all[i])
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
			if left -= number(d); left < 0 {
				d.Type, d.Candidates, d.Rejected = d.Candidates[0].Type, nil, reason
			}
		}
	}
	return out
}

// number returns how many candidates a detection stands for; each tenant counts.
func number(d *Detection) (n int) {
	for _, c := range d.Candidates {
		n += max(1, len(c.Spread))
	}
	return n
}

// Tenants maps a candidate that stands for several tenants to one candidate for each tenant.
type Tenants map[*backend.Candidate][]*backend.Candidate

// PerTenant makes one candidate for each tenant of the bounded detections, and reuses those in before. It also returns
// the Tenants to pass to the next call.
func PerTenant(bounded []Detection, before Tenants) ([]Detection, Tenants) {
	out, made := slices.Clone(bounded), Tenants{}
	for i := range out {
		d := &out[i]
		if !slices.ContainsFunc(d.Candidates, func(c *backend.Candidate) bool { return len(c.Spread) > 0 }) {
			continue
		}
		var list []*backend.Candidate
		for _, c := range d.Candidates {
			each := before[c]
			if each == nil {
				each = detect.PerTenant(c)
			}
			made[c] = each
			list = append(list, each...)
		}
		d.Candidates = list
	}
	return out, made
}

func (o *Options) lookedAtFirst(a, b *Detection) int {
	ca, cb := a.Candidates[0], b.Candidates[0]
	namesA, namesB := o.named(ca.Type, a.Service.Ref), o.named(cb.Type, b.Service.Ref)
	return cmp.Or(backend.CompareBool(namesB, namesA), cmp.Compare(cb.Strength, ca.Strength),
		olderService(a.Service, b.Service))
}
