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
	asked chan struct{} // receives a value if a discovery must be started
	over  chan struct{} // receives a value if every candidate was probed or has timed out

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
	c.asked <- struct{}{} // has room: one runs at a time
	return c.current, nil
}

// rediscover detects and probes everything again; the channel is closed when every candidate was probed.
func (c *Controller) rediscover() <-chan struct{} {
	c.source.TouchAll()
	c.detect()
	c.probe()
	return c.monitor.Recheck()
}

func (c *Controller) startDiscovery(ctx context.Context) {
	tried := c.rediscover()
	go func() {
		select {
		case <-tried:
		case <-time.After(discoverWithin):
		case <-ctx.Done():
		}
		c.over <- struct{}{} // has room, as above
	}()
}

// endDiscovery makes the next cycle answer the requests.
func (c *Controller) endDiscovery() {
	c.discoveries.mu.Lock()
	defer c.discoveries.mu.Unlock()
	c.ending = c.current
}

// answer passes the snapshot of a cycle to the requests that wait for it.
func (c *Controller) answer(s *Snapshot) {
	if c.ending == nil {
		return
	}
	c.discoveries.mu.Lock()
	defer c.discoveries.mu.Unlock()
	c.ending.snapshot = s
	close(c.ending.done)
	c.ending, c.current = nil, nil
}
