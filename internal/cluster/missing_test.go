package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// testReading runs readMissing on a store, by the clock of synctest. wait makes a reading take its time.
func testReading(
	t *testing.T, wait func(ctx context.Context, namespace string) error, do func(t *testing.T, known *store.Store),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		known := store.New(store.Options{Relevant: func(s *backend.Service) bool { return len(s.Labels) > 0 }})
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			readMissing(ctx, known, func(ctx context.Context, r backend.Ref) (*backend.Service, []store.Slice, error) {
				return nil, nil, wait(ctx, r.Namespace)
			})
		})
		do(t, known)
		stop()
		done.Wait()
		pass(2 * pauseAfter(readTimeout)) // no timer is left
	})
}

// appear makes a Service one that matches a type and did not before.
func appear(known *store.Store, namespace, name string) {
	s := backend.Service{Ref: backend.Ref{Namespace: namespace, Name: name}}
	known.Service(s)
	s.Labels = map[string]string{"app": "x"}
	known.Service(s)
}

// A namespace of which thousands of Services become something and nothing again and again, and whose EndpointSlices are slow to
// read or cannot be read, has those of another wait for one read at most.
func TestMissingSlicesOfOthersWaitForNobody(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	for name, failure := range map[string]error{"slow": nil, "failing": errors.New("not now")} {
		t.Run(name, func(t *testing.T) {
			var now, most atomic.Int64 // readings of the one
			testReading(t, func(_ context.Context, namespace string) error {
				if namespace != "evil" {
					<-time.After(50 * time.Millisecond)
					return nil
				}
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				<-time.After(50 * time.Millisecond)
				return failure
			}, func(t *testing.T, known *store.Store) {
				for range 2 {
					for i := range 1000 {
						appear(known, "evil", fmt.Sprint("x", i))
					}
					pass(time.Second)
				}
				known.Take()
				appear(known, "good", "x")
				pass(101 * time.Millisecond)
				others := false
				for _, c := range known.Take() {
					others = others || c.Namespace == "good"
				}
				if !others {
					t.Error("what is missing of another namespace waits")
				}
				if most.Load() != 1 {
					t.Errorf("%d of one namespace are read at a time, want 1", most.Load())
				}
			})
		})
	}
}

// Namespaces whose readings come to no end in their time leave the readers to others.
func TestReadingsWithoutEndLeaveTheReadersFree(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	var begun atomic.Int64
	testReading(t, func(ctx context.Context, namespace string) error {
		if namespace == "good" {
			return nil
		}
		begun.Add(1)
		ctx, cancel := context.WithTimeout(ctx, readTimeout)
		defer cancel()
		<-ctx.Done()
		return ctx.Err()
	}, func(t *testing.T, known *store.Store) {
		for i := range readers {
			appear(known, fmt.Sprint("evil", i), "x")
		}
		pass(10 * time.Minute)
		if n := begun.Load(); n > 15*readers {
			t.Errorf("%d readings in ten minutes, want %d at most", n, 15*readers)
		}
		known.Take()
		appear(known, "good", "x")
		pass(readTimeout + time.Second)
		if changes := known.Take(); len(changes) != 1 || changes[0].Namespace != "good" {
			t.Errorf("what is missing of another namespace waits: %v", changes)
		}
	})
}
