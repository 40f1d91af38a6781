package cluster

import (
	"context"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

const (
	readTimeout = 10 * time.Second
	readers     = 4 // reads at the same time, each in another namespace
)

// pauseAfter returns the time until a namespace is read again after a read that failed. It is long after a timeout, so
// that a namespace with tens of thousands of slices does not occupy one of the few readers all the time.
func pauseAfter(read time.Duration) time.Duration { return max(time.Second, 5*read) }

// readMissing reads what the store lacks until ctx ends: the EndpointSlices of Services that were unmatched before, and
// Services that were dropped because there were too many.
func readMissing(
	ctx context.Context, known *store.Store,
	read func(context.Context, backend.Ref) (*backend.Service, []store.Slice, error),
) {
	free := make(chan struct{}, readers)
	for {
		select {
		case <-ctx.Done():
			return
		case free <- struct{}{}:
		}
		ref, ok := known.NextMissing()
		if !ok {
			<-free
			select {
			case <-ctx.Done():
			case <-known.Missed():
			}
			continue
		}
		go func() {
			defer func() { <-free }()
			begun := time.Now()
			service, slices, err := read(ctx, ref)
			if err != nil { // only its namespace waits
				time.AfterFunc(pauseAfter(time.Since(begun)), func() { known.Unread(ref) })
				return
			}
			known.Fill(ref, service, slices)
		}()
	}
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
