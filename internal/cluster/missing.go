package cluster

import (
	"context"
	"time"

	"kubernaut.io/dynamic-toolset/internal/world"
)

const (
	readTimeout = 10 * time.Second
	readAgain   = time.Second // after a failure; the API server may be away
)

// readMissing reads the EndpointSlices of Services that were nothing, and so had none kept, until ctx ends.
func (w *Watch) readMissing(ctx context.Context) {
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.world.Missed():
		case <-again.C:
		}
		for _, ref := range w.world.Missing() {
			slices, err := w.readSlices(ctx, ref.Namespace, ref.Name)
			if err != nil {
				w.opts.Log.Debug("EndpointSlices cannot be read now, which is tried again", "namespace", ref.Namespace, "service", ref.Name, "err", err)
				again.Reset(readAgain)
				continue
			}
			w.world.Fill(ref, slices)
		}
	}
}

func (w *Watch) readSlices(ctx context.Context, namespace, service string) ([]world.Slice, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return w.opts.Reader.slices(ctx, namespace, service)
}
