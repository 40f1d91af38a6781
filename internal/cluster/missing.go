package cluster

import (
	"context"
	"errors"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

const (
	readTimeout = 10 * time.Second
	readAgain   = time.Second // after a failure; the API server may be away
	longestWait = time.Minute // after one that took too long, doubled each time
	readers     = 4           // at a time, each of another namespace
	tidyEvery   = time.Minute
)

// readMissing reads the EndpointSlices of Services that were nothing, and so had none kept, and Services that were
// too many to be kept, until ctx ends.
func readMissing(
	ctx context.Context,
	known *store.Store,
	read func(context.Context, backend.Ref) (*backend.Service, []store.Slice, error),
) {
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	free := make(chan struct{}, readers)
	slow := waits{readAgain: map[string]time.Duration{}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tidy.C:
			known.Tidy()
			continue
		case free <- struct{}{}:
		}
		ref, ok := known.NextMissing()
		if !ok {
			<-free
			select {
			case <-ctx.Done():
			case <-tidy.C:
				known.Tidy()
			case <-known.Missed():
			}
			continue
		}
		go func() {
			defer func() { <-free }()
			service, slices, err := read(ctx, ref)
			if err != nil { // its namespace waits, and no other
				time.AfterFunc(slow.after(ref.Namespace, err), func() { known.Unread(ref) })
				return
			}
			slow.over(ref.Namespace)
			known.Fill(ref, service, slices)
		}()
	}
}

// waits are how long namespaces wait after a reading that came to no end in its time. Who has tens of thousands of
// slices would have a reader of the few for ever.
type waits struct {
	mu        sync.Mutex
	readAgain map[string]time.Duration // those that are longer than usual
}

func (w *waits) after(namespace string, err error) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !errors.Is(err, context.DeadlineExceeded) {
		return readAgain
	}
	w.readAgain[namespace] = min(max(readAgain, 2*w.readAgain[namespace]), longestWait)
	return w.readAgain[namespace]
}

func (w *waits) over(namespace string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.readAgain, namespace)
}

// readService reads the EndpointSlices of a Service, and the Service itself where it is bare.
func (w *Watch) readService(
	ctx context.Context,
	ref backend.Ref,
) (service *backend.Service, slices []store.Slice, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if w.store.IsBare(ref) {
		service, err = w.opts.Reader.service(ctx, ref)
	}
	if err == nil {
		slices, err = w.opts.Reader.slices(ctx, ref.Namespace, ref.Name)
	}
	if err != nil {
		w.opts.Log.Debug("a Service and its EndpointSlices cannot be read now, which is tried again",
			"namespace", ref.Namespace, "service", ref.Name, "err", err)
	}
	return service, slices, err
}
