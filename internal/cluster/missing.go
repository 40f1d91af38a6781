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
	readAgain   = time.Second // the pause after a failure, because the API server may be unreachable
	longestWait = time.Minute // the longest pause after timeouts; the pause doubles each time
	readers     = 4           // reads at the same time, each in another namespace
	tidyEvery   = time.Minute
)

// readMissing reads what the store lacks until ctx ends: the EndpointSlices of Services that were unmatched before, and
// Services that were dropped because there were too many.
func readMissing(
	ctx context.Context, known *store.Store,
	read func(context.Context, backend.Ref) (*backend.Service, []store.Slice, error),
) {
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	free := make(chan struct{}, readers)
	slow := waits{pauses: map[string]time.Duration{}}
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
			if err != nil { // only its namespace waits
				time.AfterFunc(slow.after(ref.Namespace, err), func() { known.Unread(ref) })
				return
			}
			slow.over(ref.Namespace)
			known.Fill(ref, service, slices)
		}()
	}
}

// waits holds how long each namespace waits after reads that timed out. Without the waits, a namespace with tens of
// thousands of slices would occupy one of the few readers all the time.
type waits struct {
	mu     sync.Mutex
	pauses map[string]time.Duration // by namespace; only pauses after a timeout
}

func (w *waits) after(namespace string, err error) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !errors.Is(err, context.DeadlineExceeded) {
		return readAgain
	}
	w.pauses[namespace] = min(max(readAgain, 2*w.pauses[namespace]), longestWait)
	return w.pauses[namespace]
}

func (w *waits) over(namespace string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pauses, namespace)
}

// readService reads the EndpointSlices of a Service, and the Service itself if the store has only its name.
func (w *Watch) readService(
	ctx context.Context, ref backend.Ref,
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
		w.opts.Log.Debug("Service or EndpointSlices not read",
			"namespace", ref.Namespace, "service", ref.Name, "err", err)
	}
	return service, slices, err
}
