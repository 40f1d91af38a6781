package server

import (
	"context"
	"sync"
	"time"
)

// Shutdown configures how servers stop.
type Shutdown struct {
	Delay   time.Duration // between "not ready" and closing the listeners, so that load balancers notice
	Timeout time.Duration // for requests that still run
}

// Run serves until ctx ends, and then stops gracefully: the readiness probe fails, the listeners stay open for
// stop.Delay, and running requests get stop.Timeout to end before they are cut off.
//
// Run returns an error only if a listener cannot be opened at the start. The error says what to do. Servers that
// already listen are used as they are. A listener that fails later is opened again.
func Run(ctx context.Context, p *Probes, servers []*Listener, stop Shutdown) error {
	for _, s := range servers {
		s.prepare()
		if s.current() == nil {
			if err := s.Listen(ctx); err != nil {
				return err
			}
		}
	}
	// Servers must continue to serve after ctx ends, until the stop is complete.
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var running sync.WaitGroup
	for _, s := range servers {
		s.Log.Info("listening", "server", s.Name, "address", s.Address().String(), "tls", s.TLS != nil)
		running.Go(func() { s.serve(serving) })
	}

	<-ctx.Done()
	p.Stop()
	if stop.Delay > 0 {
		<-time.After(stop.Delay)
	}
	end()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stop.Timeout)
	defer cancel()
	for _, s := range servers {
		running.Go(func() { s.shutdown(limit) })
	}
	running.Wait()
	return nil
}
