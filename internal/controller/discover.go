package controller

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// discoverEvery is the least time between the beginnings of two discoveries that somebody asks for (DTS-API-1).
	discoverEvery = time.Second
	// discoverWithin is how long one waits for backends that do not answer, so that the answer comes within 10 s.
	discoverWithin = 9500 * time.Millisecond
)

// A TooSoonError says that a discovery was asked for right after another.
type TooSoonError struct {
	Wait time.Duration // until one may be asked for again
}

func (e *TooSoonError) Error() string {
	return fmt.Sprintf("a discovery has just run: ask again in %s", e.Wait.Round(time.Millisecond))
}

// discoveries are those that somebody asks for. Whoever asks while one runs waits for that one.
type discoveries struct {
	asked chan struct{} // one is to be started
	over  chan struct{} // every candidate was tried, or had the time to answer

	mu      sync.Mutex
	current *discovery // nil while none runs
	began   time.Time  // the last one

	ending *discovery // the loop's: answered by the cycle that comes now
}

type discovery struct {
	done     chan struct{}
	snapshot *Snapshot
}

// Discover looks at every Service again and asks every candidate, and returns what came of it, or after 10 s what is known
// by then. It must only be called when there is a Snapshot. The error is a *TooSoonError, or ctx's.
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

// join begins a discovery, or takes part in the one that runs.
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

// rediscover looks at everything again; the channel is closed when every candidate was asked.
func (c *Controller) rediscover() <-chan struct{} {
	c.source.TouchAll()
	c.detect()
	c.probe()
	return c.monitor.Recheck()
}

func (c *Controller) startDiscovery(ctx context.Context) {
	tried := c.rediscover()
	go func() {
		limit := time.NewTimer(discoverWithin)
		defer limit.Stop()
		select {
		case <-tried:
		case <-limit.C:
		case <-ctx.Done():
		}
		c.over <- struct{}{} // has room, as above
	}()
}

// endDiscovery: the next cycle answers.
func (c *Controller) endDiscovery() {
	c.discoveries.mu.Lock()
	defer c.discoveries.mu.Unlock()
	c.ending = c.current
}

// answer hands what a cycle came to to those who wait for it.
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
