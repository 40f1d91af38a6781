package controller

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func TestDiscover(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	start(t, nil, []string{"p0"}, true, Options{}, func(r *rig) {
		synctest.Wait()
		r.prober.set(map[string]backend.Outcome{"p0": backend.NotReady})
		before := r.Snapshot()

		// Fifty at once share one: all have asked before the backend has answered.
		r.prober.change(func(p *fakeProber) { p.takes = 100 * time.Millisecond })
		var wg sync.WaitGroup
		snapshots := make([]*Snapshot, 50)
		for i := range snapshots {
			wg.Go(func() {
				s, err := r.Discover(r.ctx)
				if err != nil {
					t.Error(err)
				}
				snapshots[i] = s
			})
		}
		wg.Wait()
		for _, s := range snapshots {
			if s != snapshots[0] || s == before {
				t.Fatal("those who ask at once get different answers, or an old one")
			}
		}
		var early *TooSoonError
		if _, err := r.Discover(r.ctx); !errors.As(err, &early) || early.Wait <= 0 || early.Wait > time.Second {
			t.Errorf("right after another: %v", err)
		}
		pass(time.Second)
		if s, err := r.Discover(r.ctx); err != nil || s == snapshots[0] {
			t.Errorf("a second later: %v", err)
		}
	})
}

// One that does not answer is waited for, but not for long.
func TestDiscoverSlow(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	start(t, nil, []string{"p0", "slow"}, true, Options{}, func(r *rig) {
		pass(10 * time.Minute)
		began := time.Now()
		if _, err := r.Discover(r.ctx); err != nil || time.Since(began) < 9*time.Second || time.Since(began) > 10*time.Second {
			t.Errorf("%s, %v: want an answer within ten seconds", time.Since(began), err)
		}
		pass(time.Minute)
		ctx, cancel := context.WithCancel(r.ctx)
		cancel()
		if _, err := r.Discover(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("who does not wait: %v", err)
		}
	})
}

// What is written is told with what it replaced.
func TestOutputIsTold(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	old := map[string]string{"custom_toolset.yaml": "old", "notes": "an admin's"}
	start(t, old, []string{"p0"}, true, Options{}, func(r *rig) {
		updated := r.Updated()
		pass(31 * time.Second)
		select {
		case <-updated:
		default:
			t.Error("a new snapshot is not told")
		}
		o := r.Snapshot().Output
		if o.Keys["custom_toolset.yaml"] != r.Snapshot().Keys["custom_toolset.yaml"] || o.Replaced["custom_toolset.yaml"] != "old" || o.At.IsZero() {
			t.Errorf("what was written: %+v", o)
		}
		if _, there := o.Keys["notes"]; there {
			t.Error("another's key is told")
		}
	})
}
