package cluster

import (
	"context"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

const (
	readTimeout = 10 * time.Second
	readAgain   = time.Second // after a failure; the API server may be away
	readers     = 4           // at a time, each of another namespace
	tidyEvery   = time.Minute
)

// readMissing reads the EndpointSlices of Services that were nothing, and so had none kept, and Services that were too many to be
// kept, until ctx ends.
func readMissing(
	ctx context.Context, known *store.Store, read func(context.Context, backend.Ref) (*backend.Service, []store.Slice, error),
) {
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	free := make(chan struct{}, readers)
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
				time.AfterFunc(readAgain, func() { known.Unread(ref) })
				return
			}
			known.Fill(ref, service, slices)
		}()
	}
}

// readService reads the EndpointSlices of a Service, and the Service itself where it is bare.
func (w *Watch) readService(ctx context.Context, ref backend.Ref) (service *backend.Service, slices []store.Slice, err error) {
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
