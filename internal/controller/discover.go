package controller

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// discoverEvery is the shortest time between the starts of two requested discoveries.
	discoverEvery = time.Second
	// discoverWithin is how long a discovery waits for backends that do not answer, so that the request is answered
	// within 10 s.
	discoverWithin = 9500 * time.Millisecond
)

// TooSoonError is the error of a request for a discovery right after another one.
type TooSoonError struct {
	Wait time.Duration // until the next discovery may be requested
}

func (e *TooSoonError) Error() string {
	return fmt.Sprintf("a discovery has just run; try again in %s", e.Wait.Round(time.Millisecond))
}

// discoveries holds the requested discoveries. A request during a discovery waits for that one.
type discoveries struct {
	asked chan *discovery // to be started
	over  chan *discovery // every candidate was probed or has timed out

	mu      sync.Mutex
	current *discovery // nil if none runs
	began   time.Time  // the start of the last one

	ending *discovery // answered by the next cycle; for the goroutine of Run only
}

type discovery struct {
	done     chan struct{}
	snapshot *Snapshot
}

// Discover detects every Service again and probes every candidate. It returns the result, or after 10 s what is known
// then. It must only be called if there is a Snapshot. The error is a *TooSoonError or the error of ctx.
func (c *Controller) Discover(ctx context.Context) (*Snapshot, error) {
	d, err := c.join()
	if err != nil {
		return nil, err
	}
	select {
	case <-d.done:
		return d.snapshot, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join starts a discovery, or returns the one that runs.
func (c *Controller) join() (*discovery, error) {
	c.discoveries.mu.Lock()
	defer c.discoveries.mu.Unlock()
	if c.current != nil {
		return c.current, nil
	}
	if wait := discoverEvery - time.Since(c.began); wait > 0 {
		return nil, &TooSoonError{wait}
	}
	c.current, c.began = &discovery{done: make(chan struct{})}, time.Now()
	c.asked <- c.current // has room: one runs at a time
	return c.current, nil
}

// rediscover detects and probes everything again; the channel is closed when every candidate was probed.
func (c *Controller) rediscover() <-chan struct{} {
	c.source.TouchAll()
	c.detect()
	c.probe()
	return c.monitor.Recheck()
}

func (c *Controller) startDiscovery(ctx context.Context, d *discovery) {
	tried := c.rediscover()
	go func() {
		select {
		case <-tried:
		case <-time.After(discoverWithin):
		case <-ctx.Done():
		}
		c.over <- d // has room, as above
	}()
}

// answer passes the snapshot of a cycle to the requests that wait for it.
func (c *Controller) answer(s *Snapshot) {
	if c.ending == nil {
		return
	}
	c.ending.snapshot = s
	close(c.ending.done)
	c.discoveries.mu.Lock()
	defer c.discoveries.mu.Unlock()
	c.ending, c.current = nil, nil
}
