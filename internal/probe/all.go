package probe

import (
	"context"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// ProbeAll probes the targets side by side and returns their observations in the same order. Targets at the same
// address are probed one after the other, by one worker, so that they do not keep the others waiting. onDone, where not
// nil, is told of each as it is done; its calls do not overlap.
func (p *Prober) ProbeAll(
	ctx context.Context, targets []Target, onDone func(i int, o backend.Observation),
) []backend.Observation {
	out := make([]backend.Observation, len(targets))
	groups := group(targets)
	next := make(chan []int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range min(p.opts.Concurrency, len(groups)) {
		wg.Go(func() {
			for members := range next {
				for _, i := range members {
					out[i] = p.Probe(ctx, targets[i])
					if onDone != nil {
						mu.Lock()
						onDone(i, out[i])
						mu.Unlock()
					}
				}
			}
		})
	}
	for _, g := range groups {
		next <- g
	}
	close(next)
	wg.Wait()
	return out
}

// group gathers the indexes of targets at the same address, in the order of their first one.
func group(targets []Target) [][]int {
	var groups [][]int
	index := make(map[string]int, len(targets))
	for i := range targets {
		key := Address(targets[i])
		g, ok := index[key]
		if !ok {
			g = len(groups)
			index[key] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// Address identifies the backend that is dialled. Two probes of one namespace are never made there at once.
func Address(t Target) string { return addresses(t)[0] }

// courtesy is how long a probe waits for another namespace's at the same address. It is short: that one may hang, and
// any Service can lead to any address.
const courtesy = 250 * time.Millisecond

// turn waits while another Probe of the target's namespace asks at its address, and a moment for one of another
// namespace.
func (p *Prober) turn(ctx context.Context, t Target) (release func(), err error) {
	at := Address(t)
	own, err := p.busy.acquire(ctx, t.Candidate.Service.Namespace+" "+at)
	if err != nil {
		return nil, err
	}
	brief, cancel := context.WithTimeout(ctx, courtesy)
	defer cancel()
	if shared, err := p.busy.acquire(brief, at); err == nil {
		return func() {
			shared()
			own()
		}, nil
	}
	return own, nil
}

// keyed lets one holder at a time have each key. The zero value is ready.
type keyed struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the key is free again
}

// acquire waits until the key is free; an error is the context's.
func (k *keyed) acquire(ctx context.Context, key string) (release func(), err error) {
	for {
		k.mu.Lock()
		free, taken := k.held[key]
		if !taken {
			if k.held == nil {
				k.held = make(map[string]chan struct{})
			}
			free = make(chan struct{})
			k.held[key] = free
			k.mu.Unlock()
			return func() {
				k.mu.Lock()
				delete(k.held, key)
				k.mu.Unlock()
				close(free)
			}, nil
		}
		k.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-free:
		}
	}
}

// Bodies over 64 KiB that are held at once: of all backends, and of those of one namespace, whose owner may have many
// that answer as slowly as they can.
const (
	largeOfAll = 32
	largeOfOne = 4
)

// quota lets a few holders at a time have each namespace, and some more all of them. The zero value is ready.
type quota struct {
	mu  sync.Mutex
	all chan struct{}
	of  map[string]chan struct{} // stays: an entry is small, and namespaces are not many
}

// acquire waits for a place; an error is the context's.
func (q *quota) acquire(ctx context.Context, namespace string) (release func(), err error) {
	q.mu.Lock()
	if q.all == nil {
		q.all, q.of = make(chan struct{}, largeOfAll), make(map[string]chan struct{})
	}
	of, ok := q.of[namespace]
	if !ok {
		of = make(chan struct{}, largeOfOne)
		q.of[namespace] = of
	}
	q.mu.Unlock()
	for _, places := range [...]chan struct{}{of, q.all} {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			if places == q.all {
				<-of
			}
			return nil, ctx.Err()
		}
	}
	return func() { <-q.all; <-of }, nil
}
