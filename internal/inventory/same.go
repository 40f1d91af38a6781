package inventory

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// yieldsTo reports whether f is a duplicate of o, a preferred Service of the same namespace and type. A Service that
// its owner included stays. The inclusion does not remove an equally good Service beside it: the owner means both, for
// example if one backend has several tenants.
func (f *front) yieldsTo(o *front) bool {
	switch {
	case f.Candidate.Strength == backend.Explicit, f.Ref == o.Ref, differentTenants(f, o):
		return false
	case f.sameInstallation(o), o.place < maxClose && f.twinOf(o):
		return true
	}
	return (o.Candidate.Strength != backend.Explicit || f.twin || o.twin) && (f.sameSelector(o) || f.sameEndpoints(o))
}

// differentTenants reports whether a and b have the same address but serve the data of different tenants.
func differentTenants(a, b *front) bool {
	return a.Candidate.Tenant != "" && b.Candidate.Tenant != "" && a.Candidate.Tenant != b.Candidate.Tenant
}

// sameInstallation reports whether f and o are two parts of one distributed installation, such as a gateway and the
// query frontend behind it, or a proxy and what is behind it. A cluster's own label is exact, so the name counts only
// without it: the name of another cluster may end in a word for a node.
func (f *front) sameInstallation(o *front) bool {
	a, b := f.Candidate, o.Candidate
	if a.Tier == b.Tier {
		return false
	}
	if a.Cluster == b.Cluster && (a.Cluster != "" || a.Stem != "" && a.Stem == b.Stem) {
		return true
	}
	// A proxy is a different application of the installation. The probe, or its owner, says what is behind it.
	proxy := b.Tier == backend.TierFront && o.Verdict == backend.Accepted
	return slices.ContainsFunc(f.releases, func(r release) bool {
		return slices.ContainsFunc(o.releases, func(other release) bool {
			return r.label == other.label && r.name == other.name && (r.app == other.app || proxy)
		})
	})
}

// sameSelector reports whether f and o select the same pods and lead to the same port of them. Equal selectors prove
// this even while the EndpointSlices of one Service are slightly older. A named and a numeric target port may be the
// same port, and count as the same.
func (f *front) sameSelector(o *front) bool {
	if f.selects != o.selects || len(f.Service.Selector) == 0 {
		return false
	}
	a, b := f.Candidate.Port.Target, o.Candidate.Port.Target
	switch {
	case f.twin, o.twin, a.Type != b.Type:
		return true
	case a.Type == intstr.Int:
		return a.IntVal == b.IntVal
	}
	return a.StrVal == b.StrVal
}

// sameEndpoints reports whether the endpoints of f and o are known and the same: the ready ones, though one Service may
// have one address family and the other both, or all of them, ready or not.
func (f *front) sameEndpoints(o *front) bool {
	if f.all.id == o.all.id && f.close() && o.close() {
		return true
	}
	both4, both6 := len(f.v4.list) > 0 && len(o.v4.list) > 0, len(f.v6.list) > 0 && len(o.v6.list) > 0
	return (both4 || both6) && (!both4 || f.v4.id == o.v4.id) && (!both6 || f.v6.id == o.v6.id)
}

// twinOf reports whether one of two Services is the twin of the other: a Service for the same members, or for a part
// of them, by endpoints or by selector. A selector with more labels selects a subset of what one with fewer labels
// selects. Two lists of equal length are therefore of the same pods, even if one list is slightly older.
func (f *front) twinOf(o *front) bool {
	if !f.twin && !o.twin {
		return false
	}
	narrow, broad := selectsAllOf(o.Service, f.Service), selectsAllOf(f.Service, o.Service)
	if !f.close() || !o.close() {
		return narrow || broad
	}
	if len(f.all.list) == len(o.all.list) && (narrow || broad) {
		return true
	}
	return f.twin && (narrow || f.within(o)) || o.twin && (broad || o.within(f))
}

// within reports whether o has every ready endpoint of f, ready there or not: a headless Service may publish the
// addresses of pods that are not ready.
func (f *front) within(o *front) bool { return f.v4.within(&o.all) && f.v6.within(&o.all) }

// covering returns the Services that together have all pods of a headless Service. An operator's headless Service for
// all its workloads leads to any of several backends, each of which has its own Service. owner maps each endpoint to
// the Service used for it.
func (f *front) covering(owner map[endpoint]*front) (list []*front) {
	if !f.Service.Headless() || f.Candidate.Strength == backend.Explicit {
		return nil
	}
	for _, p := range slices.Concat(f.v4.list, f.v6.list) {
		o := owner[p]
		if o == nil || differentTenants(f, o) {
			return nil
		}
		if !slices.Contains(list, o) {
			list = append(list, o)
		}
	}
	return list
}
