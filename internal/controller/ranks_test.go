package controller

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// What changes nothing but who is the primary, or what is remembered, is held back as a publication is: the agent is
// made to look again, and the ConfigMap is written, all the same.
func TestRanksChangeInTurns(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-SEC-3")
	const every = 400 * time.Millisecond
	made := func(r *rig, name string, day, i int) {
		s := aged(in("evil", prometheus(name)), day)
		s.UID = fmt.Sprint(i) // so that it is asked at once
		r.world.Service(s)
	}
	for name, flip := range map[string]func(r *rig, i int){
		"data and none": func(r *rig, i int) {
			r.prober.change(func(p *fakeProber) { p.empty = []string{"", "x"}[i%2] })
			made(r, "x", 2, i)
			if i == 0 {
				made(r, "y", 3, i)
			}
		},
		"two have none in turn": func(r *rig, i int) {
			r.prober.change(func(p *fakeProber) { p.empty = []string{"x", "y"}[i%2] })
			made(r, "x", 2, i)
			made(r, "y", 3, i)
		},
		"the type it was taken for": func(r *rig, i int) {
			r.prober.change(func(p *fakeProber) { p.relative = "thanos" })
			s := in("evil", prometheus("x"))
			s.Annotations = map[string]string{
				"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": []string{"thanos", "prometheus"}[i%2],
			}
			r.world.Service(s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			start(t, nil, nil, true, Options{}, func(r *rig) {
				r.busy(t, 4, every, func(i int) { flip(r, i) })
				r.prober.change(func(p *fakeProber) { p.empty = "" })
				flip(r, 600)
				pass(longQuiet + time.Minute)
				r.expect(t, "in the end", "x.evil.svc")
				if r.damper.turns.budget.left("ns", time.Now()) < turnBurst {
					t.Error("another namespace has paid for it")
				}
			})
		})
	}
}

// The place of a primary moves at once where its owner has turns left, as it does where somebody installs a second one.
func TestRankOfAnHonestOne(t *testing.T) {
	t.Attr("req", "DTS-PRB-12")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		url := func() string { return r.output.Live().Data["prometheus-toolset.yaml"] }
		for i := range 2 {
			r.prober.change(func(p *fakeProber) { p.empty = []string{"", "x"}[i] })
			for day, name := range []string{"x", "y"} {
				s := aged(prometheus(name), day+1)
				s.UID = fmt.Sprint(i)
				r.world.Service(s)
			}
			pass(time.Second)
			if primary := r.primary("prometheus"); primary != (backend.Ref{Namespace: "ns", Name: []string{"x", "y"}[i]}) {
				t.Errorf("turn %d: the primary is %s:\n%s", i, primary, url())
			}
		}
	})
}

func (r *rig) primary(typ string) backend.Ref {
	for _, f := range r.Snapshot().Findings {
		if f.Type == typ && f.Primary {
			return f.Ref
		}
	}
	return backend.Ref{}
}

// Services of one namespace that are deleted and made again as they were are younger, so that other notes would be
// kept; and Services that are led to a trusted one's endpoints and back are its duplicates in turn. Both change the
// document in turns.
func TestComingAndGoingInTurns(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-SEC-3")
	const many = 30
	ref := func(i int) backend.Ref { return backend.Ref{Namespace: "evil", Name: fmt.Sprintf("x%02d", i%many)} }
	leads := func(r *rig, service backend.Ref, address string) {
		r.world.Slice(service, store.Slice{Name: service.Name + "-1", EndpointSlice: backend.EndpointSlice{
			Ports: []backend.EndpointPort{{Name: "http", Number: 9090, Protocol: "TCP"}}, Ready: []netip.Addr{netip.MustParseAddr(address)},
		}})
	}
	note := strings.Repeat("word ", 60)
	for how, tt := range map[string]struct{ add, step func(r *rig, i int) }{
		"made again": {
			add: func(r *rig, i int) { r.world.Service(aged(custom("evil", ref(i).Name, fmt.Sprint(i, note)), i)) },
			step: func(r *rig, i int) {
				r.world.DeleteService(ref(i))
				r.world.Service(aged(custom("evil", ref(i).Name, fmt.Sprint(i%many, note)), 100+i))
			},
		},
		"duplicates of a trusted one": {
			add: func(r *rig, i int) {
				r.world.Service(in("evil", prometheus(ref(i).Name)))
				leads(r, ref(i), fmt.Sprint("10.9.0.", i+1))
			},
			step: func(r *rig, i int) {
				address := "10.1.0.1"
				if i/many%2 == 1 {
					address = fmt.Sprint("10.9.0.", i%many+1)
				}
				leads(r, ref(i), address)
			},
		},
	} {
		t.Run(how, func(t *testing.T) {
			o := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"platform"}}}
			start(t, nil, nil, true, o, func(r *rig) {
				trusted := in("platform", prometheus("ours"))
				r.world.Service(trusted)
				leads(r, trusted.Ref, "10.1.0.1")
				for i := range many {
					tt.add(r, i)
				}
				pass(10 * time.Minute)
				r.expect(t, "all are published", "evil/x00", "evil/x29")
				r.busy(t, 4, time.Second, func(i int) { tt.step(r, i) })
			})
		})
	}
}
