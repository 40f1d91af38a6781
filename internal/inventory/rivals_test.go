package inventory

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The index finds the same Service as a comparison with each.
func TestRivalsAreFound(t *testing.T) {
	t.Attr("req", "DTS-DET-6")
	found := 0
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		list := make([]*front, 40)
		for i := range list {
			list[i] = randomFront(random, i)
		}
		r := newRivals(list)
		for _, f := range list {
			var want *front
			if i := slices.IndexFunc(r.kept, f.yields); i >= 0 {
				want = r.kept[i]
				found++
			}
			if got := r.winner(f); got != want {
				t.Fatalf("seed %d: %s yields to %v, want %v", seed, f.Ref, got, want)
			}
			if want == nil {
				r.add(f)
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d duplicates: too few to tell", found)
	}
}

func randomFront(random *rand.Rand, i int) *front {
	s := &backend.Service{Ref: backend.Ref{Namespace: "a", Name: fmt.Sprint("s", i)}, Selector: map[string]string{}, Labels: map[string]string{}}
	if random.IntN(2) == 0 {
		s.ClusterIP = "None"
	}
	for _, k := range []string{"app", "part", "shard"} {
		if random.IntN(3) > 0 {
			s.Selector[k] = fmt.Sprint(random.IntN(6))
		}
	}
	if random.IntN(4) == 0 {
		s.Labels["release"], s.Labels["app"] = fmt.Sprint(random.IntN(8)), "x"
	}
	c := &backend.Candidate{Service: s, Tier: random.IntN(2), Strength: backend.Strength(random.IntN(3))}
	if random.IntN(8) == 0 {
		c.Stem = fmt.Sprint(random.IntN(5))
	}
	f := &backend.Finding{Ref: s.Ref, Service: s, Type: "prometheus", Candidate: c}
	if random.IntN(3) == 0 {
		return newFront(f, nil, fixedSeed)
	}
	slice := backend.EndpointSlice{Ports: []backend.EndpointPort{{Number: 9090, Protocol: "TCP"}}}
	six := random.IntN(4) == 0
	for range 1 + random.IntN(4)*random.IntN(7) {
		p := netip.AddrFrom4([4]byte{10, 0, 0, byte(random.IntN(30))})
		if six {
			p = netip.AddrFrom16([16]byte{0xfd, 15: byte(random.IntN(10))})
		}
		if random.IntN(4) == 0 {
			slice.NotReady = append(slice.NotReady, p)
		} else {
			slice.Ready = append(slice.Ready, p)
		}
	}
	return newFront(f, &backend.Endpoints{Slices: []backend.EndpointSlice{slice}}, fixedSeed)
}

var fixedSeed = maphash.MakeSeed()
