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

// readMissing reads the EndpointSlices of Services that were nothing, and so had none kept, until ctx ends.
func readMissing(ctx context.Context, known *store.Store, read func(context.Context, backend.Ref) ([]store.Slice, error)) {
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
			slices, err := read(ctx, ref)
			if err != nil { // its namespace waits, and no other
				time.AfterFunc(readAgain, func() { known.Unread(ref) })
				return
			}
			known.Fill(ref, slices)
		}()
	}
}

func (w *Watch) readSlices(ctx context.Context, service backend.Ref) ([]store.Slice, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	slices, err := w.opts.Reader.slices(ctx, service.Namespace, service.Name)
	if err != nil {
		w.opts.Log.Debug("EndpointSlices cannot be read now, which is tried again", "namespace", service.Namespace, "service", service.Name, "err", err)
	}
	return slices, err
}
