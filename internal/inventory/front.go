package inventory

import (
	"fmt"
	"hash/maphash"
	"math"
	"net/netip"
	"slices"
	"strings"
	"unique"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// front is a Service in front of a backend, with what each comparison of two asks for. A namespace may hold thousands, of
// which each is compared with all.
type front struct {
	*backend.Finding
	selector []string              // in order
	selects  unique.Handle[string] // equal selectors have the same
	releases [2]string
	twin     bool      // made beside the one that people use, for the members of a StatefulSet
	v4, v6   addresses // the endpoints that are ready, where they are known and not too many
	all      addresses // ready or not

	of  *front // the one that is used instead, nil while it is none
	why string // it, and not this one
}

// endpoint is an address and port of a pod.
type endpoint = netip.AddrPort

// addresses are endpoints in order, each once. What tells that two sets differ is looked at first, since one owner can make
// thousands of Services that nearly have the same.
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

// maxCompared is how many endpoints of a Service are compared with those of others, and maxTwin how many so closely that a part
// of them is recognised. No query API has as many.
const (
	maxCompared = 100
	maxTwin     = 16
)

func newFront(finding *backend.Finding, e *backend.Endpoints, seed maphash.Seed) *front {
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

// yields reports whether f is a duplicate of o, a Service of the same namespace and type that is preferred. What its owner
// included stays, and its inclusion says nothing of a Service beside it that is as good by itself: those two are meant as
// two, as where one backend has several tenants.
func (f *front) yields(o *front) bool {
	switch {
	case f.Candidate.Strength == backend.Explicit, f.Ref == o.Ref, differentTenants(f, o):
		return false
	case f.sameInstallation(o):
		return true
	}
	return f.same(o) && (o.Candidate.Strength != backend.Explicit || f.twin || o.twin)
}

// same reports whether two Services of one namespace and type lead to the same backend. Equal selectors say so even while
// the EndpointSlices of one are a moment older; beside that the endpoints decide, where they are known.
func (f *front) same(o *front) bool {
	selected, twins := len(f.selector) > 0 && len(o.selector) > 0, f.twin || o.twin
	switch {
	case selected && f.selects == o.selects && (twins || samePort(f.Candidate, o.Candidate)):
		return true
	case !f.known() || !o.known() || len(f.all.list) > maxTwin || len(o.all.list) > maxTwin:
		return f.known() && o.known() && f.sameEndpoints(o) ||
			selected && twins && (subset(f.selector, o.selector) || subset(o.selector, f.selector))
	}
	return f.sameEndpoints(o) || f.all.id == o.all.id || f.twin && f.within(o) || o.twin && o.within(f)
}

// sameEndpoints: the same are ready. One Service may have addresses of one family where another has both.
func (f *front) sameEndpoints(o *front) bool {
	both4, both6 := len(f.v4.list) > 0 && len(o.v4.list) > 0, len(f.v6.list) > 0 && len(o.v6.list) > 0
	return (both4 || both6) && (!both4 || f.v4.id == o.v4.id) && (!both6 || f.v6.id == o.v6.id)
}

// within reports whether o has all that is ready of f, be it ready there or not: a headless Service may publish the addresses
// of pods that are not.
func (f *front) within(o *front) bool { return f.v4.within(&o.all) && f.v6.within(&o.all) }

// covering are the Services that have, together, all pods of a headless one. The one that an operator makes for all that it
// runs leads to any of several backends, each of which has its own Service. owner is the Service used for each endpoint.
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

// releases are the installations that a Service's labels name, by each way in which charts name them; "" for none.
func releases(labels map[string]string) (list [2]string) {
	for i, keys := range [...][2]string{{"app.kubernetes.io/instance", "app.kubernetes.io/name"}, {"release", "app"}} {
		if release, app := labels[keys[0]], labels[keys[1]]; release != "" && app != "" {
			list[i] = release + "/" + app
		}
	}
	return list
}

// sameInstallation: two parts of one distributed installation, such as a gateway and the query frontend behind it.
func (f *front) sameInstallation(o *front) bool {
	if f.Candidate.Tier == o.Candidate.Tier {
		return false
	}
	if f.Candidate.Stem != "" && f.Candidate.Stem == o.Candidate.Stem && f.Namespace == o.Namespace {
		return true
	}
	for i := range f.releases {
		if f.releases[i] != "" && f.releases[i] == o.releases[i] {
			return true
		}
	}
	return false
}

// subset: both are in order.
func subset(of, all []string) bool {
	if len(of) > len(all) {
		return false
	}
	i := 0
	for _, s := range all {
		if i < len(of) && of[i] == s {
			i++
		}
	}
	return i == len(of)
}

// samePort reports whether both lead to the same port of the pods. A named and a numeric target may be the same one; the
// selectors being equal, they are taken for it unless the numbers differ.
func samePort(a, b *backend.Candidate) bool {
	ta, tb := a.Port.Target, b.Port.Target
	if ta.Type == intstr.Int && tb.Type == intstr.Int {
		return ta.IntVal == tb.IntVal
	}
	return ta.Type != tb.Type || ta.StrVal == tb.StrVal
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
