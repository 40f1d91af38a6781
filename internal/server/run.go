package server

import (
	"context"
	"sync"
	"time"
)

// Shutdown says how servers stop.
type Shutdown struct {
	Delay   time.Duration // between "not ready" and closing the listeners, for load balancers to notice
	Timeout time.Duration // for requests that still run
}

// Run serves until ctx ends, and then stops gracefully: probes say not ready, the listeners stay open for the delay, then
// requests that run are waited for, then whatever is left is cut off. It takes at most the delay and the timeout.
//
// The error is about the start: an address that cannot be listened on, with what to do. Servers that listen already are
// taken as they are. A stop is no error, nor is a listener that breaks, which is opened again.
func Run(ctx context.Context, p *Probes, servers []*Listener, stop Shutdown) error {
	for i, s := range servers {
		s.prepare()
		if s.current() != nil {
			continue
		}
		if err := s.Listen(ctx); err != nil {
			for _, opened := range servers[:i] {
				_ = opened.current().Close() // nothing was served on it
			}
			return err
		}
	}
	// Serving outlives ctx by the stop.
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
