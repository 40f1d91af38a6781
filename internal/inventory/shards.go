package inventory

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// querier is a backend that forwards its queries, with the members that it names.
type querier struct {
	*backend.Finding
	pods     map[netip.Addr]bool
	services []*backend.Service
}

// markShards records on each backend the relative that sees all its data: the relative whose members are the backend's
// pods. A stranger's backend can answer with any addresses, so a querier that the configuration does not vouch for
// counts only in its own namespace.
func (o *Options) markShards(
	all []*backend.Finding, detections []Detection, endpoints map[backend.Ref]*backend.Endpoints,
) {
	queriers := o.queriers(all, detections)
	if len(queriers) == 0 {
		return
	}
	used := filter(all, func(f *backend.Finding) bool {
		return f.Verdict == backend.Accepted && !f.Candidate.ForeignHost
	})
	byNamespace := map[string][]*backend.Finding{}
	for _, f := range used {
		byNamespace[f.Namespace] = append(byNamespace[f.Namespace], f)
	}
	for _, q := range queriers {
		of := byNamespace[q.Namespace]
		if o.vouched(q.Finding) {
			of = used
		}
		t := o.Type(q.Type)
		for _, f := range of {
			relatives := t != nil && f.Type != q.Type && t.Relative(f.Type) != nil
			if f.ShardOf == (backend.Key{}) && relatives && q.seesAllOf(f, endpoints[f.Ref]) {
				f.ShardOf = q.Candidate.Key()
			}
		}
	}
}

// queriers returns the backends in use that name members, vouched ones first. The members of a duplicate of the same
// owner count as well, because a frontend may not forward the request for members.
func (o *Options) queriers(all []*backend.Finding, detections []Detection) (list []*querier) {
	hosts := map[backend.Key][]string{}
	for _, f := range all {
		if f.Candidate == nil || len(f.Observation.Members) == 0 ||
			f.Candidate.ForeignHost || f.Namespace == backend.OutsideNamespace {
			continue
		}
		key := f.Candidate.Key()
		if f.Verdict == backend.Duplicate && f.Winner.Namespace == f.Namespace &&
			f.Observation.Outcome == backend.Ready {
			key.Ref = f.Winner
		}
		hosts[key] = append(hosts[key], f.Observation.Members...)
	}
	if len(hosts) == 0 {
		return nil
	}
	byRef, byAddress := map[backend.Ref]*backend.Service{}, map[string]*backend.Service{}
	for i := range detections {
		s := detections[i].Service
		byRef[s.Ref] = s
		for _, ip := range append([]string{s.ClusterIP}, s.ClusterIPs...) {
			byAddress[ip] = s
		}
	}
	for _, f := range all {
		if f.Verdict != backend.Accepted || len(hosts[f.Candidate.Key()]) == 0 {
			continue
		}
		q := &querier{Finding: f, pods: map[netip.Addr]bool{}}
		for _, host := range hosts[f.Candidate.Key()] {
			s := byAddress[host]
			if a, err := netip.ParseAddr(host); err == nil {
				q.pods[a] = true
			} else {
				s = byRef[serviceNamed(host, f.Candidate)]
			}
			if s != nil {
				q.services = append(q.services, s)
			}
		}
		list = append(list, q)
	}
	slices.SortFunc(list, func(a, b *querier) int {
		return cmp.Or(o.byVouched(a.Finding, b.Finding), olderService(a.Service, b.Service))
	})
	return list
}

// serviceNamed returns the Service that a cluster DNS name means to the pods of a backend. The name is of the Service,
// or of one pod of a headless Service.
func serviceNamed(host string, from *backend.Candidate) (none backend.Ref) {
	if name := from.Service.Name + "." + from.Service.Namespace + ".svc."; strings.HasPrefix(from.FullName, name) {
		host = strings.TrimSuffix(host, "."+strings.TrimPrefix(from.FullName, name))
	}
	switch labels := strings.Split(strings.TrimSuffix(host, ".svc"), "."); len(labels) {
	case 1:
		return backend.Ref{Namespace: from.Service.Namespace, Name: labels[0]}
	case 2:
		return backend.Ref{Namespace: labels[1], Name: labels[0]}
	case 3:
		return backend.Ref{Namespace: labels[2], Name: labels[1]}
	}
	return none
}

// seesAllOf reports whether all pods behind a Service are known and are members. A member is named by its address or,
// for a single pod, by a Service that selects it: with several pods, a request to that Service reaches only one.
func (q *querier) seesAllOf(f *backend.Finding, e *backend.Endpoints) bool {
	if e == nil || e.Crowded || e.FQDN || e.ReadyCount() == 0 {
		return false
	}
	selectsAll := func(s *backend.Service) bool { return selectsAllOf(s, f.Service) }
	if e.ReadyCount() == 1 && slices.ContainsFunc(q.services, selectsAll) {
		return true
	}
	for i := range e.Slices {
		s := &e.Slices[i]
		if s.More > 0 || slices.ContainsFunc(s.Ready, func(pod netip.Addr) bool { return !q.pods[pod.Unmap()] }) {
			return false
		}
	}
	return true
}

// selectsAllOf reports whether a selects every pod that b selects.
func selectsAllOf(a, b *backend.Service) bool {
	for k, v := range a.Selector {
		if b.Selector[k] != v {
			return false
		}
	}
	return len(a.Selector) > 0 && a.Namespace == b.Namespace
}
