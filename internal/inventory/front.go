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

// front is a Service in front of a backend, with the values that a comparison of two Services needs.
type front struct {
	*backend.Finding
	selects  unique.Handle[string] // equal for equal selectors
	releases []release
	twin     bool      // a second Service, for the members of a StatefulSet
	v4, v6   addresses // the ready endpoints, if known and not too many
	all      addresses // ready or not

	place int            // order among the Services that stay
	of    *front         // the Service used instead, nil if this one stays
	why   backend.Reason // why the other Service is used
}

// endpoint is the address and port of a pod.
type endpoint = netip.AddrPort

// addresses is a sorted set of endpoints. The mask is compared first, because it quickly shows that one set is not a
// subset of another.
type addresses struct {
	list []endpoint
	id   unique.Handle[string] // equal for equal sets
	mask [4]uint64             // of the hashes of its members
}

// noAddresses is the id of the empty set.
var noAddresses = unique.Make("")

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

// within reports whether a is a subset of o.
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

// maxCompared is how many endpoints of a Service are compared with those of other Services. maxTwin is the limit up to
// which a subset of them is recognised; no query API has as many endpoints. maxClose is how many Services of a
// namespace and type, the preferred ones, are compared this closely with each other.
const (
	maxCompared = 100
	maxTwin     = 16
	maxClose    = 64
)

// newFront returns the front of a finding. Tenants of one Service follow each other and share the values of last.
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
		Finding: finding, selects: unique.Make(strings.Join(selector, ",")),
		releases: releases(finding.Service.Labels), twin: finding.Service.Headless() || perReplica(finding.Service),
	}
	if e == nil || e.Crowded || e.ReadyCount() > maxCompared || finding.Candidate.ForeignHost {
		return f
	}
	var v4, v6, all []endpoint
	for i := range e.Slices {
		s := &e.Slices[i]
		port := podPort(s, finding.Candidate.Port.Name)
		if port == 0 {
			continue
		}
		for _, a := range s.Ready {
			if p := netip.AddrPortFrom(a, port); a.Is4() {
				v4 = append(v4, p)
			} else {
				v6 = append(v6, p)
			}
		}
		for _, a := range s.NotReady[:min(len(s.NotReady), maxCompared-len(all))] {
			all = append(all, netip.AddrPortFrom(a, port))
		}
	}
	f.all = newAddresses(slices.Concat(v4, v6, all), seed)
	f.v4, f.v6 = newAddresses(v4, seed), newAddresses(v6, seed)
	return f
}

// podPort returns the port of the slice with the given name, 0 if there is no such port.
func podPort(s *backend.EndpointSlice, name string) uint16 {
	for _, p := range s.Ports {
		if p.Name == name && p.Protocol == "TCP" && p.Number > 0 && p.Number <= math.MaxUint16 {
			return uint16(p.Number)
		}
	}
	return 0
}

// known reports whether there are ready endpoints to compare.
func (f *front) known() bool { return len(f.v4.list)+len(f.v6.list) > 0 }

// close reports whether the endpoints are known and few enough to recognise a subset.
func (f *front) close() bool { return f.known() && len(f.all.list) <= maxTwin }

// twinOf reports whether one of two Services is the twin of the other: a Service for the same members, or for a part
// of them, by endpoints or by selector. A selector with more labels selects a subset of what one with fewer labels
// selects. Two lists of equal length are therefore of the same pods, even if one list is slightly older.
func (f *front) twinOf(o *front) bool {
	if !f.twin && !o.twin || f.Ref == o.Ref || differentTenants(f, o) {
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

// differentTenants reports whether a and b have the same address but serve the data of different tenants.
func differentTenants(a, b *front) bool {
	return a.Candidate.Tenant != "" && b.Candidate.Tenant != "" && a.Candidate.Tenant != b.Candidate.Tenant
}

// names returns the names of the Services, for people.
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

// release is an installation and the application in it that a Service belongs to. label is the label that names the
// installation.
type release struct{ label, name, app string }

// releases returns the installations that a Service's labels name, one for each labelling convention of charts.
func releases(labels map[string]string) (list []release) {
	for _, keys := range [...][2]string{{"app.kubernetes.io/instance", "app.kubernetes.io/name"}, {"release", "app"}} {
		if name, app := labels[keys[0]], labels[keys[1]]; name != "" && app != "" {
			list = append(list, release{keys[0], name, app})
		}
	}
	return list
}

// perReplica reports whether the Service leads to one pod of a StatefulSet.
func perReplica(s *backend.Service) bool {
	return s.Selector["statefulset.kubernetes.io/pod-name"] != "" || s.Selector["apps.kubernetes.io/pod-index"] != ""
}
