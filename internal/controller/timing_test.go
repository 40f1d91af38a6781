package controller

import (
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// began is when each test's clock starts.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// One settle time passes from a change to the ConfigMap, not one for the change and one for what the backend says.
func TestOneSettleTime(t *testing.T) {
	t.Attr("req", "DTS-RUN-1")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.add("a")
		pass(240 * time.Millisecond)
		r.expect(t, "before it is over", "-ns/a")
		pass(20 * time.Millisecond)
		r.expect(t, "when it is over", "ns/a")
	})
}

// The first document is whole where the backends answer, and does not wait longer than any change for one that hangs,
// which keeps the service from being ready for five seconds and no longer.
func TestFirstDocumentIsWhole(t *testing.T) {
	t.Attr("req", "DTS-RUN-1 DTS-RUN-3")
	start(t, nil, []string{"a", "b", "c"}, true, Options{}, func(r *rig) {
		r.expect(t, "after a second", "ns/a", "ns/b", "ns/c")
		if n := r.output.count(); n != 1 {
			t.Errorf("%d writes, want 1", n)
		}
		if at := r.Snapshot().Output.At; !at.Equal(began) {
			t.Errorf("written %s after the start, want at once", at.Sub(began))
		}
	})
	start(t, nil, []string{"a", "b", "slow"}, true, Options{}, func(r *rig) {
		r.expect(t, "after a second", "ns/a", "ns/b", "-ns/slow")
		if at := r.Snapshot().Output.At; r.output.count() != 1 || at.Sub(began) != 250*time.Millisecond {
			t.Errorf("%d writes, the last %s after the start, want 1 after the settle time", r.output.count(), at.Sub(began))
		}
		if r.Snapshot().Discovered {
			t.Error("the discovery counts as done while a backend has not answered")
		}
		pass(4100 * time.Millisecond)
		if !r.Snapshot().Discovered {
			t.Error("after five seconds the discovery does not count as done")
		}
	})
}

// Where nothing records what was published before, the first document waits for the slow one too, five seconds at most; where
// something does, it waits no longer than any other change.
func TestFirstDocumentWaitsForAll(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-RUN-6")
	var left map[string]string
	start(t, nil, []string{"a", "slow"}, true, Options{Whole: true}, func(r *rig) {
		pass(3 * time.Second)
		if n := r.output.count(); n != 0 {
			t.Errorf("%d writes before each was asked, want none", n)
		}
		pass(2 * time.Second)
		r.expect(t, "after five seconds", "ns/a", "-ns/slow")
		left = r.output.Live().Data
	})
	start(t, left, []string{"a", "b", "slow"}, true, Options{Whole: true}, func(r *rig) {
		r.expect(t, "after a second, on what is there", "ns/a", "ns/b", "-ns/slow")
	})
}

// A follower may see a Service later than the leader's state says that it is primary; the primary does not move for
// that.
func TestFollowerKeepsThePrimary(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-RUN-2")
	var left map[string]string
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.add("b")
		pass(time.Second)
		r.add("a")
		pass(time.Second)
		left = r.output.Live().Data
	})
	start(t, left, []string{"a"}, false, Options{}, func(r *rig) {
		r.add("b")
		pass(time.Second)
		r.leader.set(true)
		pass(time.Second)
		if text := r.output.Live().Data["prometheus-toolset.yaml"]; !strings.Contains(text, "\n  url: http://b.ns") {
			t.Errorf("the primary moved:\n%s", text)
		}
	})
}

// What a leader has withdrawn does not come back because its own older state is seen late.
func TestLeaderDoesNotBelieveItsOwnPast(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	start(t, nil, []string{"a", "b"}, true, Options{}, func(r *rig) {
		old := r.output.Live().Data[toolset.KeyState]
		r.remove("ns", "a")
		pass(time.Second)
		r.expect(t, "after its deletion", "-ns/a", "ns/b")
		r.output.set(func(m map[string]string) map[string]string { m[toolset.KeyState] = old; return m })
		pass(time.Second)
		r.prober.set(map[string]backend.Outcome{"a": backend.Unreachable})
		r.add("a")
		pass(time.Second)
		r.expect(t, "another of that name, which does not work", "-ns/a", "ns/b")
	})
}
