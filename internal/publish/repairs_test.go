package publish

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRepairs(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	var r Repairs
	now := time.Unix(1e9, 0)
	a, b := Drift{Key: "a-toolset.yaml", Manager: "vandal"}, Drift{Key: "b-toolset.yaml"}

	for n := 1; n <= 5; n++ {
		if hold := r.Hold([]Drift{a, b}, now); hold != nil {
			t.Fatalf("repair %d: %v must wait", n, hold)
		}
		limited := r.Made([]Drift{a}, now)
		if want := n == 5; want != (len(limited) == 1 && limited[0] == a) {
			t.Fatalf("after repair %d at the limit: %v", n, limited)
		}
		now = now.Add(5 * time.Second)
	}
	// The first repair was 25 s ago.
	if diff := cmp.Diff([]string{a.Key}, r.Hold([]Drift{a, b}, now)); diff != "" {
		t.Errorf("after five within a minute (-want +got):\n%s", diff)
	}
	if limited := r.Made([]Drift{a}, now); limited != nil { // at a resync
		t.Errorf("told again: %v", limited)
	}
	now = now.Add(35*time.Second - time.Nanosecond)
	if r.Hold([]Drift{a}, now) == nil {
		t.Error("free again within the minute")
	}
	now = now.Add(5*time.Second + time.Nanosecond) // the first two are a minute old: four remain
	if hold := r.Hold([]Drift{a}, now); hold != nil {
		t.Errorf("%v must wait with four repairs in the last minute", hold)
	}
	r.Made(nil, now.Add(time.Hour))
	if len(r.made) != 0 {
		t.Errorf("remembers for ever: %v", r.made)
	}
}
