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

// A namespace of which thousands of Services become something and nothing again and again, and whose EndpointSlices are slow to
// read or cannot be read, has those of another wait for one read at most.
func TestMissingSlicesOfOthersWaitForNobody(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	unreadable := errors.New("not now")
	for name, evil := range map[string]error{"slow": nil, "failing": unreadable} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := store.New(store.Options{Relevant: func(s *backend.Service) bool { return len(s.Labels) > 0 }})
				flip := func(namespace string, i int) {
					s := backend.Service{Ref: backend.Ref{Namespace: namespace, Name: fmt.Sprint("x", i)}}
					w.Service(s)
					s.Labels = map[string]string{"app": "x"}
					w.Service(s)
				}
				var mu sync.Mutex
				at := map[string]int{}
				most := map[string]int{}
				count := func(namespace string, by int) {
					mu.Lock()
					defer mu.Unlock()
					at[namespace] += by
					most[namespace] = max(most[namespace], at[namespace])
				}
				read := func(ctx context.Context, ref backend.Ref) (*backend.Service, []store.Slice, error) {
					count(ref.Namespace, 1)
					defer count(ref.Namespace, -1)
					select {
					case <-time.After(50 * time.Millisecond):
					case <-ctx.Done():
					}
					if ref.Namespace == "evil" {
						return nil, nil, evil
					}
					return nil, nil, nil
				}
				ctx, stop := context.WithCancel(t.Context())
				var done sync.WaitGroup
				done.Go(func() { readMissing(ctx, w, read) })
				for i := range 1000 {
					flip("evil", i)
				}
				time.Sleep(time.Second) //nolint:forbidigo // on the clock of synctest
				for i := range 1000 {
					flip("evil", i)
				}
				w.Take()
				flip("good", 0)
				time.Sleep(101 * time.Millisecond) //nolint:forbidigo // as above
				synctest.Wait()
				known := false
				for _, c := range w.Take() {
					known = known || c.Namespace == "good"
				}
				if !known {
					t.Error("what is missing of another namespace waits")
				}
				mu.Lock()
				if most["evil"] != 1 {
					t.Errorf("%d of one namespace are read at a time, want 1", most["evil"])
				}
				mu.Unlock()
				stop()
				done.Wait()
				time.Sleep(2 * time.Second) //nolint:forbidigo // as above: no timer is left
			})
		})
	}
}

// Namespaces whose readings come to no end in their time leave the readers to others.
func TestReadingsWithoutEndLeaveTheReadersFree(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		w := store.New(store.Options{Relevant: func(s *backend.Service) bool { return len(s.Labels) > 0 }})
		appear := func(namespace string) {
			s := backend.Service{Ref: backend.Ref{Namespace: namespace, Name: "x"}}
			w.Service(s)
			s.Labels = map[string]string{"app": "x"}
			w.Service(s)
		}
		var begun atomic.Int64
		read := func(ctx context.Context, ref backend.Ref) (*backend.Service, []store.Slice, error) {
			if ref.Namespace == "good" {
				return nil, nil, nil
			}
			begun.Add(1)
			ctx, cancel := context.WithTimeout(ctx, readTimeout)
			defer cancel()
			<-ctx.Done()
			return nil, nil, fmt.Errorf("EndpointSlices: %w", ctx.Err())
		}
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { readMissing(ctx, w, read) })
		for i := range readers {
			appear(fmt.Sprint("evil", i))
		}
		time.Sleep(10 * time.Minute) //nolint:forbidigo // on the clock of synctest
		if n := begun.Load(); n > 15*readers {
			t.Errorf("%d readings in ten minutes, want %d at most", n, 15*readers)
		}
		w.Take()
		appear("good")
		time.Sleep(readTimeout + time.Second) //nolint:forbidigo // as above
		if changes := w.Take(); len(changes) != 1 || changes[0].Namespace != "good" {
			t.Errorf("what is missing of another namespace waits: %v", changes)
		}
		stop()
		done.Wait()
		time.Sleep(2 * pauseAfter(readTimeout)) //nolint:forbidigo // as above: no timer is left
	})
}
