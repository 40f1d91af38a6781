package inventory

import (
	"fmt"
	"hash/maphash"
	"math"
	"net/netip"
	"slices"
	"strings"
	"unique"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// front is a Service in front of a backend, with what a comparison of two asks for.
type front struct {
	*backend.Finding
	selector []string              // in order
	selects  unique.Handle[string] // equal selectors have the same
	releases [2]release
	twin     bool      // made beside the one that people use, for the members of a StatefulSet
	v4, v6   addresses // the endpoints that are ready, where they are known and not too many
	all      addresses // ready or not

	place int            // among those that stay
	of    *front         // the one that is used instead, nil while it is none
	why   backend.Reason // it, and not this one
}

// endpoint is an address and port of a pod.
type endpoint = netip.AddrPort

// addresses are endpoints in order, each once. What tells that one set is no part of another is looked at first.
type addresses struct {
	list []endpoint
	id   unique.Handle[string] // equal sets have the same
	mask [4]uint64             // of the hashes of its members
}

func newAddresses(list []endpoint, seed maphash.Seed) (a addresses) {
	slices.SortFunc(list, endpoint.Compare)
	a.list = slices.Compact(list)
	var text []byte
	for _, p := range a.list {
		text, _ = p.AppendBinary(text)
		h := maphash.Comparable(seed, p)
		a.mask[h>>6&3] |= 1 << (h & 63)
	}
	a.id = unique.Make(string(text))
	return a
}

// within reports whether all of them are among the others.
func (a *addresses) within(o *addresses) bool {
	for i := range a.mask {
		if a.mask[i]&^o.mask[i] != 0 {
			return false
		}
	}
	return !slices.ContainsFunc(a.list, func(p endpoint) bool {
		_, found := slices.BinarySearchFunc(o.list, p, endpoint.Compare)
		return !found
	})
}

// maxCompared is how many endpoints of a Service are compared with those of others, and maxTwin how many so closely
// that a part of them is recognised. No query API has as many. maxClose is how many Services of a namespace and type,
// the preferred ones, are compared so with each.
const (
	maxCompared = 100
	maxTwin     = 16
	maxClose    = 64
)

// newFront makes one. Tenants of one Service come one after the other, and share what the last has.
func newFront(finding *backend.Finding, e *backend.Endpoints, last *front, seed maphash.Seed) *front {
	if last != nil && last.Service == finding.Service && last.Candidate.ForeignHost == finding.Candidate.ForeignHost &&
		last.Candidate.Port.Name == finding.Candidate.Port.Name {
		f := *last
		f.Finding = finding
		return &f
	}
	var selector []string
	for k, v := range finding.Service.Selector {
		selector = append(selector, k+"="+v)
	}
	slices.Sort(selector)
	f := &front{
		Finding: finding, selector: selector, selects: unique.Make(strings.Join(selector, ",")),
		releases: releases(finding.Service.Labels), twin: finding.Service.Headless() || perReplica(finding.Service),
	}
	if e == nil || e.Crowded || e.ReadyCount() > maxCompared || finding.Candidate.ForeignHost {
		return f
	}
	var v4, v6, all []endpoint
	for i := range e.Slices {
		s := &e.Slices[i]
		port := podPort(s, finding.Candidate.Port.Name)
		for _, a := range s.Ready {
			switch p := netip.AddrPortFrom(a, port); {
			case port == 0:
			case a.Is4():
				v4 = append(v4, p)
			default:
				v6 = append(v6, p)
			}
		}
		for _, a := range s.NotReady {
			if port != 0 && len(all) < maxCompared {
				all = append(all, netip.AddrPortFrom(a, port))
			}
		}
	}
	f.all = newAddresses(slices.Concat(v4, v6, all), seed)
	f.v4, f.v6 = newAddresses(v4, seed), newAddresses(v6, seed)
	return f
}

// podPort is the port of a slice's addresses that has the name of the Service's, 0 for none.
func podPort(s *backend.EndpointSlice, name string) uint16 {
	for _, p := range s.Ports {
		if p.Name == name && p.Protocol == "TCP" && p.Number > 0 && p.Number <= math.MaxUint16 {
			return uint16(p.Number)
		}
	}
	return 0
}

// known: there are ready endpoints to compare.
func (f *front) known() bool { return len(f.v4.list)+len(f.v6.list) > 0 }

// close: its endpoints are known, and so few that a part of them is recognised.
func (f *front) close() bool { return f.known() && len(f.all.list) <= maxTwin }

// twinOf reports whether one of two is the twin of the other, made for the members of what that one leads to, by a
// part of its endpoints or of what it selects. A selector with more labels selects nothing beside what one with fewer
// does, so that two lists of as many endpoints are of the same pods, though one may be a moment older.
func (f *front) twinOf(o *front) bool {
	if !f.twin && !o.twin || f.Ref == o.Ref || differentTenants(f, o) {
		return false
	}
	narrow, broad := f.selectsWithin(o), o.selectsWithin(f)
	if !f.close() || !o.close() {
		return narrow || broad
	}
	if len(f.all.list) == len(o.all.list) && (narrow || broad) {
		return true
	}
	return f.twin && (narrow || f.within(o)) || o.twin && (broad || o.within(f))
}

// selectsWithin reports whether o selects all that f does.
func (f *front) selectsWithin(o *front) bool {
	return len(o.selector) > 0 && subset(o.selector, f.selector)
}

// within reports whether o has all that is ready of f, be it ready there or not: a headless Service may publish the
// addresses of pods that are not.
func (f *front) within(o *front) bool { return f.v4.within(&o.all) && f.v6.within(&o.all) }

// covering are the Services that have, together, all pods of a headless one. The one that an operator makes for all
// that it runs leads to any of several backends, each of which has its own Service. owner is the Service used for
// each endpoint.
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

// differentTenants: the same address, and another's data.
func differentTenants(a, b *front) bool {
	return a.Candidate.Tenant != "" && b.Candidate.Tenant != "" && a.Candidate.Tenant != b.Candidate.Tenant
}

// names are the Services, for people.
func names(list []*front) string {
	const most = 3
	var words []string
	for _, f := range list[:min(len(list), most)] {
		words = append(words, f.Ref.String())
	}
	if more := len(list) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words, ", "), more)
	}
	return strings.Join(words, " and ")
}

// release is an installation, and the application of it that a Service is a part of.
type release struct{ name, app string }

// releases are the installations that a Service's labels name, by each way in which charts name them.
func releases(labels map[string]string) (list [2]release) {
	for i, keys := range [...][2]string{{"app.kubernetes.io/instance", "app.kubernetes.io/name"}, {"release", "app"}} {
		if name, app := labels[keys[0]], labels[keys[1]]; name != "" && app != "" {
			list[i] = release{name, app}
		}
	}
	return list
}

// subset: both are in order.
func subset(of, all []string) bool {
	for _, s := range of {
		for len(all) > 0 && all[0] < s {
			all = all[1:]
		}
		if len(all) == 0 || all[0] != s {
			return false
		}
		all = all[1:]
	}
	return true
}

// perReplica: the Service leads to one pod of a StatefulSet.
func perReplica(s *backend.Service) bool {
	for _, k := range [...]string{"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"} {
		if strings.TrimSpace(s.Selector[k]) != "" {
			return true
		}
	}
	return false
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}
