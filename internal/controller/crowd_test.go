package controller

import (
	"fmt"
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
	t.Attr("req", "DTS-SEC-3")
	t.Attr("req", "DTS-PRB-6")
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
	t.Attr("req", "DTS-SEC-3")
	t.Attr("req", "DTS-PRB-6")
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
