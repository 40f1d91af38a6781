package controller

import (
	"fmt"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func (p *fakeProber) drain(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.empty = name
}

// What changes nothing but who is the primary, or what is remembered, is held back as a publication is: the agent is made to
// look again, and the ConfigMap is written, all the same.
func TestRanksChangeInTurns(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	t.Attr("req", "DTS-SEC-3")
	const every = 400 * time.Millisecond
	made := func(r *rig, name string, day, i int) {
		s := aged(in("evil", prometheus(name)), day)
		s.UID = fmt.Sprint(i) // so that it is asked at once
		r.world.SetService(s)
	}
	for name, flip := range map[string]func(r *rig, i int){
		"data and none": func(r *rig, i int) {
			r.prober.drain([]string{"", "x"}[i%2])
			made(r, "x", 2, i)
			if i == 0 {
				made(r, "y", 3, i)
			}
		},
		"two have none in turn": func(r *rig, i int) {
			r.prober.drain([]string{"x", "y"}[i%2])
			made(r, "x", 2, i)
			made(r, "y", 3, i)
		},
		"the type it was taken for": func(r *rig, i int) {
			r.prober.become("thanos")
			s := in("evil", prometheus("x"))
			s.Annotations = map[string]string{
				"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": []string{"thanos", "prometheus"}[i%2],
			}
			r.world.SetService(s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			start(t, nil, nil, true, Options{}, func(r *rig) {
				for m := range 4 {
					before := r.output.count()
					for i := range 150 {
						flip(r, 150*m+i)
						pass(every)
					}
					n := r.output.count() - before
					if n > 8 || m > 0 && n > 2 {
						t.Errorf("%d changes of the document in minute %d", n, m+1)
					}
				}
				r.prober.drain("")
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
			r.prober.drain([]string{"", "x"}[i])
			for day, name := range []string{"x", "y"} {
				s := aged(prometheus(name), day+1)
				s.UID = fmt.Sprint(i)
				r.world.SetService(s)
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
