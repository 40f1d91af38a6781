package inventory

import (
	"fmt"
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

// addresses is a sorted set of endpoints.
type addresses struct {
	list []endpoint
	id   unique.Handle[string] // equal for equal sets
}

func newAddresses(list []endpoint) (a addresses) {
	slices.SortFunc(list, endpoint.Compare)
	a.list = slices.Compact(list)
	var text []byte
	for _, p := range a.list {
		text, _ = p.AppendBinary(text)
	}
	a.id = unique.Make(string(text))
	return a
}

// within reports whether a is a subset of o.
func (a *addresses) within(o *addresses) bool {
	n := 0
	for _, p := range o.list {
		if n < len(a.list) && a.list[n] == p {
			n++
		}
	}
	return n == len(a.list)
}

// maxCompared is how many endpoints of a Service are compared with those of other Services. maxTwin is the limit up to
// which a subset of them is recognised; no query API has as many endpoints.
const (
	maxCompared = 100
	maxTwin     = 16
)

func newFront(finding *backend.Finding, e *backend.Endpoints) *front {
	f := &front{
		Finding: finding, selects: unique.Make(fmt.Sprintf("%q", finding.Service.Selector)), // with sorted keys
		releases: releases(finding.Service), twin: finding.Service.Headless() || perReplica(finding.Service),
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
	f.all = newAddresses(slices.Concat(v4, v6, all))
	f.v4, f.v6 = newAddresses(v4), newAddresses(v6)
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

// releases returns the installations that a Service's labels name, one for each labelling convention of charts. For a
// Service without labels its selector names those of its pods.
func releases(s *backend.Service) (list []release) {
	labels := s.Labels
	if len(labels) == 0 {
		labels = s.Selector
	}
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
