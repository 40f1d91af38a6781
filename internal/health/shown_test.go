package health

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// talker is a Prober whose backends answer at length.
type talker struct{ *script }

func (p talker) Probe(ctx context.Context, t probe.Target) backend.Observation {
	o := p.script.Probe(ctx, t)
	o.Requests = []backend.Request{{URL: strings.Repeat("x", 1000)}}
	return o
}

// However many targets a namespace has, few keep the requests of their last check: the last ones. Nothing else is forgotten.
func TestRequestsOfFewAreKept(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const many = 3 * maxShown
	s := newScript("good")
	var targets []probe.Target
	for i := range many {
		one := target(fmt.Sprint("evil-", i))
		s.outcome[one.Candidate.Service.Name] = []backend.Outcome{backend.Ready, backend.NotReady}[i%2]
		targets = append(targets, one)
	}
	good := target("good")
	good.Candidate.Service.Namespace = "other"
	targets = append(targets, good)
	run(t, talker{s}, usual, func(m *Monitor) {
		kept := func() (n int) {
			for k, o := range m.Observations() {
				want := backend.Ready
				if k.Namespace == "ns" {
					want = s.outcome[k.Name]
				}
				if o.Outcome != want || k.Namespace == "other" && len(o.Requests) == 0 {
					t.Errorf("%s is %s with %d requests", k.Ref, o.Outcome, len(o.Requests))
				}
				if k.Namespace == "ns" && len(o.Requests) > 0 {
					n++
				}
			}
			return n
		}
		m.Set(targets)
		for range 10 { // some work, some do not, and each is checked again
			synctest.Wait()
			if n := kept(); n != maxShown || len(m.Observations()) != len(targets) {
				t.Errorf("%d of %d keep their requests, want %d", n, len(m.Observations()), maxShown)
			}
			time.Sleep(30 * time.Second) //nolint:forbidigo // on synctest's clock
		}
		m.Set(targets[:10])
		<-m.Recheck()
		if n := kept(); n != 10 || len(m.shown) != 1 || len(m.shown["ns"]) != 10 {
			t.Errorf("%d of 10 keep their requests, %d are held", n, len(m.shown["ns"]))
		}
		m.Set(nil)
		if len(m.shown) != 0 {
			t.Errorf("of none, those of %d namespaces are held", len(m.shown))
		}
	})
}
