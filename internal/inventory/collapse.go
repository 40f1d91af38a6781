package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// claimNames lets the older Service keep an instance name that two claim.
func claimNames(all []*backend.Finding) {
	claims := map[[2]string][]*backend.Finding{}
	for _, f := range all {
		if f.Candidate == nil || f.Verdict == backend.Rejected {
			continue
		}
		scope := f.Type
		if f.Candidate.Custom {
			scope = backend.TypeCustom
		}
		key := [2]string{scope, f.Candidate.Instance}
		claims[key] = append(claims[key], f)
	}
	for key, list := range claims {
		if len(list) < 2 {
			continue
		}
		slices.SortFunc(list, older)
		for _, f := range list[1:] {
			f.Verdict = backend.Rejected
			f.Annotation = "kubernaut.io/toolset-name"
			f.Reason = fmt.Sprintf("annotation kubernaut.io/toolset-name: %q is the name of the older Service %s: choose another", key[1], list[0].Ref)
		}
	}
}

// older orders by age, a Service without a known age last, then by name.
func older(a, b *backend.Finding) int {
	at, bt := a.Service.Created, b.Service.Created
	switch {
	case at.IsZero() && !bt.IsZero():
		return 1
	case bt.IsZero() && !at.IsZero():
		return -1
	}
	return cmp.Or(at.Compare(bt), a.Ref.Compare(b.Ref))
}

// collapse marks Services in front of a backend that another Service fronts too as duplicates (DTS-DET-6). The most
// useful Service is looked at first, so that each later one is compared with those that stay.
func collapse(all []*backend.Finding) {
	type group struct{ namespace, typ string }
	groups := map[group][]*backend.Finding{}
	for _, f := range all {
		if f.Candidate != nil && f.Verdict != backend.Rejected {
			key := group{f.Namespace, f.Type}
			groups[key] = append(groups[key], f)
		}
	}
	for _, list := range groups {
		slices.SortFunc(list, preference)
		var kept []front
		for _, finding := range list {
			f := newFront(finding)
			i := slices.IndexFunc(kept, f.same)
			if i < 0 || f.Candidate.Strength == backend.Explicit {
				kept = append(kept, f)
				continue
			}
			f.Reason = fmt.Sprintf("it fronts the same backend as %s, which is used: %s", kept[i].Ref, whyNot(f.Finding, kept[i].Finding))
			f.Verdict, f.Winner = backend.Duplicate, kept[i].Ref
		}
	}
}

// preference orders Services in front of one backend: what works, what the owner says, what a person would use.
func preference(a, b *backend.Finding) int {
	ca, cb := a.Candidate, b.Candidate
	return cmp.Or(
		certainty(a)-certainty(b),
		yes(cb.Strength == backend.Explicit)-yes(ca.Strength == backend.Explicit),
		yes(a.Service.Headless())-yes(b.Service.Headless()),
		yes(perReplica(a.Service))-yes(perReplica(b.Service)),
		cmp.Compare(ca.Tier, cb.Tier),
		cmp.Compare(cb.Strength, ca.Strength),
		exposure(a.Service)-exposure(b.Service),
		older(a, b)*yes(!a.Service.Created.Equal(b.Service.Created)),
		yes(a.Name != a.Type)-yes(b.Name != b.Type),
		len(a.Name)-len(b.Name),
		a.Ref.Compare(b.Ref),
	)
}

// exposure prefers a Service for the cluster's own use.
func exposure(s *backend.Service) int {
	return max(0, slices.Index([]string{"", "ClusterIP", "NodePort", "LoadBalancer"}, s.Type)-1)
}

func whyNot(f, winner *backend.Finding) string {
	switch {
	case f.Verdict == backend.Unavailable && winner.Verdict == backend.Accepted:
		return "that one works, this one does not"
	case winner.Candidate.Strength == backend.Explicit:
		return "its owner chose it by annotation"
	case f.Service.Headless() && !winner.Service.Headless():
		return "this one is headless"
	case perReplica(f.Service) && !perReplica(winner.Service):
		return "this one leads to a single replica"
	case winner.Candidate.Tier < f.Candidate.Tier:
		return "that one stands before this one"
	case exposure(winner.Service) < exposure(f.Service):
		return "that one is for use inside the cluster"
	}
	return "one of the two is enough"
}

// front is a Service in front of a backend, with what each comparison of two asks for. A namespace may hold thousands, of
// which each is compared with all.
type front struct {
	*backend.Finding
	selector []string // in order
	twin     bool     // made beside the one that people use, for the members of a StatefulSet
}

func newFront(f *backend.Finding) front {
	var selector []string
	for k, v := range f.Service.Selector {
		selector = append(selector, k+"="+v)
	}
	slices.Sort(selector)
	return front{f, selector, f.Service.Headless() || perReplica(f.Service)}
}

// same reports whether two Services of one namespace and type lead to the same backend.
func (f front) same(o front) bool {
	switch {
	case sameInstallation(f.Finding, o.Finding):
		return true
	case len(f.selector) == 0 || len(o.selector) == 0:
		return false
	case slices.Equal(f.selector, o.selector) && samePort(f.Candidate, o.Candidate):
		return true
	}
	return (f.twin || o.twin) && (subset(f.selector, o.selector) || subset(o.selector, f.selector))
}

// sameInstallation: two parts of one distributed installation, such as a gateway and the query frontend behind it.
func sameInstallation(a, b *backend.Finding) bool {
	if a.Candidate.Tier == b.Candidate.Tier {
		return false
	}
	for _, keys := range [][2]string{{"app.kubernetes.io/instance", "app.kubernetes.io/name"}, {"release", "app"}} {
		la, lb := a.Service.Labels, b.Service.Labels
		if la[keys[0]] != "" && la[keys[0]] == lb[keys[0]] && la[keys[1]] != "" && la[keys[1]] == lb[keys[1]] {
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
