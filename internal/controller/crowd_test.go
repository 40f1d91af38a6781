package controller

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// slowSource takes long to say what has changed, as where there are tens of thousands of Services.
type slowSource struct {
	fakeSource
	takes time.Duration
	mu    sync.Mutex
	took  int
}

func (s *slowSource) Take() []store.Change {
	s.mu.Lock()
	s.took++
	s.mu.Unlock()
	time.Sleep(s.takes) //nolint:forbidigo // on the clock of synctest
	return s.fakeSource.Take()
}

func (s *slowSource) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took
}

// Whoever has thousands of Services looked at by changing one of them all the time has not all of the processor: half of it at
// most, and changes wait for two seconds at most.
func TestCrowdLeavesTheProcessorToOthers(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-PRB-6")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		slow := &slowSource{fakeSource: r.source.(fakeSource), takes: 100 * time.Millisecond}
		r.source = slow
		pass(time.Second)
		r.add("first")
		pass(3 * time.Second)
		before := slow.count()
		for i := range 1000 {
			s := prometheus("flips")
			s.Annotations = map[string]string{"kubernaut.io/toolset-description": fmt.Sprint(i)}
			r.world.Service(s)
			pass(10 * time.Millisecond)
		}
		if n := slow.count() - before; n > 55 || n < 5 {
			t.Errorf("in ten seconds it looked %d times for a tenth of a second each, want 5 to 55", n)
		}
		other := prometheus("other")
		other.Namespace = "good"
		r.world.Service(other)
		pass(2 * time.Second)
		r.expect(t, "another's is published meanwhile", "good/other")
	})
}

// The pause after work that took long is not made again when nothing has happened since.
func TestNoPauseAfterRest(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-PRB-6")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		slow := &slowSource{fakeSource: r.source.(fakeSource), takes: 300 * time.Millisecond}
		r.source = slow
		pass(time.Second)
		r.add("first")
		pass(10 * time.Second)
		r.add("second")
		pass(900 * time.Millisecond) // it is looked at, the settle time passes, and a cycle looks again
		r.expect(t, "after both looks and the settle time", "ns/second")
	})
}

// What is rejected for being too much has its finding made once, and again when something about it changes.
func TestRejectedFindingsAreMadeOnce(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	var names []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("p%02d", i))
	}
	start(t, nil, names, true, Options{Inventory: inventory.Options{MaxPerNamespace: 1}}, func(r *rig) {
		findings := func() map[backend.Ref]*backend.Finding {
			all := map[backend.Ref]*backend.Finding{}
			for _, f := range r.Snapshot().Findings {
				if f.Reason.Code == backend.CodeNamespaceCandidates {
					all[f.Ref] = f
				}
			}
			return all
		}
		before := findings()
		if len(before) != 40 {
			t.Fatalf("%d of 60 are too many, want 40", len(before))
		}
		last := r.Snapshot()
		r.world.TouchAll()
		pass(time.Second)
		if r.Snapshot() == last {
			t.Fatal("there was no other cycle")
		}
		for ref, f := range findings() {
			if f != before[ref] {
				t.Fatalf("that of %s is made again though nothing has changed", ref)
			}
		}
		r.remove("ns", "p59")
		pass(time.Second)
		for ref, f := range findings() {
			if f == before[ref] || f.Reason.Number != 59 {
				t.Fatalf("that of %s says %d of 59", ref, f.Reason.Number)
			}
		}
		synctest.Wait()
	})
}

// Of tens of thousands of Services that are not read, some are told of one by one, and each of them is forgotten when it is gone.
func TestOfManyServicesThatAreNotReadSomeAreListed(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	start(t, nil, []string{"a"}, true, Options{}, func(r *rig) {
		listed := func() (n int) {
			pass(10 * time.Second)
			for _, f := range r.Snapshot().Findings {
				if f.Reason.Code == backend.CodeNamespaceServices {
					n++
				}
			}
			return n
		}
		name := func(i int) backend.Ref { return backend.Ref{Namespace: "evil", Name: fmt.Sprintf("s%05d", i)} }
		for i := range 3 * maxBare {
			s := prometheus("")
			s.Ref, s.Bared = name(i), 1
			r.world.Service(s)
		}
		if n := listed(); n != maxBare {
			t.Errorf("%d are listed, want %d", n, maxBare)
		}
		r.expect(t, "the others", "ns/a")
		for i := range 3*maxBare - 3 {
			r.world.DeleteService(name(i))
		}
		r.world.TouchAll()
		if n := listed(); n != 2 { // the oldest is to be read
			t.Errorf("%d are listed of three", n)
		}
	})
}

// Candidates are made for as many tenants as are looked at, and not for all that an owner names; what was made stays as it is,
// so that nobody is asked again for it.
func TestTenantsAreMadeForWhatIsLookedAt(t *testing.T) {
	t.Attr("req", "DTS-DET-14 DTS-SEC-3")
	const many, tenants = 300, 50
	var names []string
	for i := range tenants {
		names = append(names, fmt.Sprint("t", i))
	}
	var services []backend.Service
	for i := range many {
		services = append(services, aged(backend.Service{
			Ref: backend.Ref{Namespace: "evil", Name: fmt.Sprintf("loki-%03d", i)}, ClusterIP: "10.0.0.1",
			Labels:      map[string]string{"app.kubernetes.io/name": "loki", "app.kubernetes.io/component": "gateway"},
			Annotations: map[string]string{"kubernaut.io/toolset-tenant": strings.Join(names, ",")},
			Ports:       []backend.Port{{Name: "http-metrics", Number: 80, Protocol: "TCP"}},
		}, i))
	}
	const limit = 50
	c, _ := crowd(t, inventory.Options{MaxPerNamespace: limit}, services)
	for _, s := range services {
		c.source.(fakeSource).Service(s)
	}
	c.detect()
	made := 0
	for _, d := range c.detections {
		made += len(d.Candidates)
	}
	if made != many {
		t.Errorf("of %d Services with %d tenants each %d candidates are made before it is known which are looked at", many, tenants, made)
	}
	first := c.targets()
	if len(first) != limit*20 {
		t.Errorf("%d candidates are asked", len(first))
	}
	keys := map[backend.Key]bool{}
	for i, again := range c.targets() {
		keys[again.Candidate.Key()] = true
		if again.Candidate != first[i].Candidate {
			t.Fatal("a candidate is made again though nothing has changed")
		}
	}
	if len(keys) != len(first) || !keys[backend.Key{Ref: services[0].Ref, Type: "loki", Tenant: "t49"}] {
		t.Errorf("%d candidates have %d keys, or the oldest is not asked", len(first), len(keys))
	}
	c.source.(fakeSource).DeleteService(services[0].Ref)
	c.detect()
	if c.targets(); len(c.tenants) != limit*20/tenants {
		t.Errorf("those of %d Services are kept", len(c.tenants))
	}
}
