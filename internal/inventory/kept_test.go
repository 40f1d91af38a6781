package inventory

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// What is looked up is what a comparison with each would have found.
func TestKeptFindsAsComparisonsDo(t *testing.T) {
	t.Attr("req", "DTS-DET-6")
	duplicates := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		hash := maphash.MakeSeed()
		stay := newKept()
		for i := range 30 {
			f := randomFront(r, i, hash)
			var want *front
			if n := slices.IndexFunc(stay.list, func(o *front) bool { return yields(f, o) }); n >= 0 {
				want = stay.list[n]
			}
			switch got := stay.find(f); {
			case got != want:
				t.Fatalf("seed %d: %s is found for %+v, want %s", seed, describe(got), f, describe(want))
			case got == nil:
				stay.add(f)
			default:
				duplicates++
			}
		}
	}
	if duplicates < 1000 {
		t.Errorf("%d duplicates of 12,000: too few to say anything", duplicates)
	}
}

func describe(f *front) string {
	if f == nil {
		return "nothing"
	}
	return fmt.Sprintf("%+v", f)
}

func randomFront(r *rand.Rand, i int, hash maphash.Seed) *front {
	s := &backend.Service{Ref: backend.Ref{Namespace: "a", Name: fmt.Sprint(i - r.IntN(2))}, ClusterIP: []string{"None", "10.0.0.1"}[r.IntN(2)]}
	s.Labels, s.Selector = map[string]string{}, map[string]string{}
	for _, k := range []string{"app", "shard", "statefulset.kubernetes.io/pod-name"} {
		if r.IntN(3) == 0 {
			s.Selector[k] = fmt.Sprint(r.IntN(3))
		}
	}
	if r.IntN(4) == 0 {
		s.Labels["release"], s.Labels["app"] = fmt.Sprint(r.IntN(3)), fmt.Sprint(r.IntN(2))
	}
	c := &backend.Candidate{Service: s, Tier: r.IntN(4) - 1, Strength: backend.Strength(r.IntN(3))}
	c.Port.Target = []intstr.IntOrString{intstr.FromInt32(9090), intstr.FromInt32(80), intstr.FromString("web")}[r.IntN(3)]
	c.Tenant = []string{"", "", "", "t1", "t2"}[r.IntN(5)]
	c.Stem = []string{"", "", "", "loki"}[r.IntN(4)]
	c.Cluster = []string{"", "", "", "loki"}[r.IntN(4)]
	var e *backend.Endpoints
	if r.IntN(3) > 0 {
		slice := backend.EndpointSlice{Ports: []backend.EndpointPort{{Number: 9090, Protocol: "TCP"}}}
		for range r.IntN(3) {
			slice.Ready = append(slice.Ready, netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(4))}))
		}
		if r.IntN(3) == 0 {
			slice.Ready = append(slice.Ready, netip.AddrFrom16([16]byte{0xfd, 15: byte(r.IntN(2))}))
		}
		if r.IntN(3) == 0 {
			slice.NotReady = append(slice.NotReady, netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(4))}))
		}
		if r.IntN(8) == 0 { // more than are compared closely
			for j := range maxTwin {
				slice.Ready = append(slice.Ready, netip.AddrFrom4([4]byte{10, 0, 1, byte(j)}))
			}
		}
		e = &backend.Endpoints{Slices: []backend.EndpointSlice{slice}}
	}
	v := []backend.Verdict{backend.Accepted, backend.Unavailable}[r.IntN(2)]
	return newFront(&backend.Finding{Ref: s.Ref, Service: s, Type: "prometheus", Candidate: c, Verdict: v}, e, nil, hash)
}

// yields reports whether f is a duplicate of o, a Service of the same namespace and type that is preferred.
func yields(f, o *front) bool {
	switch {
	case f.Candidate.Strength == backend.Explicit, f.Ref == o.Ref, differentTenants(f, o):
		return false
	case sameInstallation(f, o):
		return true
	}
	return same(f, o) && (o.Candidate.Strength != backend.Explicit || f.twin || o.twin)
}

func same(f, o *front) bool {
	selected, twins := len(f.Service.Selector) > 0 && len(o.Service.Selector) > 0, f.twin || o.twin
	narrow, broad := selectsAllOf(o.Service, f.Service), selectsAllOf(f.Service, o.Service)
	switch {
	case selected && f.selects == o.selects && (twins || samePort(f.Candidate, o.Candidate)):
		return true
	case !f.known() || !o.known() || len(f.all.list) > maxTwin || len(o.all.list) > maxTwin:
		return f.known() && o.known() && sameEndpoints(f, o) ||
			twins && (narrow || broad)
	case twins && len(f.all.list) == len(o.all.list) && (narrow || broad):
		return true
	}
	return sameEndpoints(f, o) || f.all.id == o.all.id || f.twin && (narrow || f.within(o)) || o.twin && (broad || o.within(f))
}

func sameEndpoints(f, o *front) bool {
	both4, both6 := len(f.v4.list) > 0 && len(o.v4.list) > 0, len(f.v6.list) > 0 && len(o.v6.list) > 0
	return (both4 || both6) && (!both4 || f.v4.id == o.v4.id) && (!both6 || f.v6.id == o.v6.id)
}

func sameInstallation(f, o *front) bool {
	if f.Candidate.Tier == o.Candidate.Tier {
		return false
	}
	unlabelled := f.Candidate.Cluster == "" && o.Candidate.Cluster == ""
	if unlabelled && f.Candidate.Stem != "" && f.Candidate.Stem == o.Candidate.Stem {
		return true
	}
	if f.Candidate.Cluster != "" && f.Candidate.Cluster == o.Candidate.Cluster {
		return true
	}
	for _, r := range f.releases {
		for _, other := range o.releases {
			if r == other || r.label == other.label && r.name == other.name && o.proxy() {
				return true
			}
		}
	}
	return false
}

func samePort(a, b *backend.Candidate) bool {
	ta, tb := a.Port.Target, b.Port.Target
	if ta.Type == intstr.Int && tb.Type == intstr.Int {
		return ta.IntVal == tb.IntVal
	}
	return ta.Type != tb.Type || ta.StrVal == tb.StrVal
}
