package probe

import (
	"context"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// ProbeAll probes the targets side by side and returns their observations in the same order. Targets at the same
// address are probed one after the other, by one worker, so that they do not keep the others waiting. onDone, if not
// nil, is called for each observation; its calls do not overlap.
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

// group returns the indexes of the targets by address, in the order of each address's first target.
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

// Address returns the address that is dialled.
func Address(t Target) string { return addresses(t)[0] }

// courtesy is how long a probe waits for a probe of another namespace at the same address. It is short because the
// other probe may hang, and any Service can lead to any address.
const courtesy = 250 * time.Millisecond

// turn waits while another probe uses the target's address, but at most courtesy. Callers see to it that the targets of
// one namespace at one address are probed one after the other.
func (p *Prober) turn(ctx context.Context, t Target) (release func()) {
	ctx, cancel := context.WithTimeout(ctx, courtesy)
	defer cancel()
	return p.busy.acquire(ctx, Address(t))
}

// keyed is a lock per key. The zero value is ready to use.
type keyed struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the key is free again
}

// acquire waits until the key is free or the context ends. If it ends, nothing was acquired.
func (k *keyed) acquire(ctx context.Context, key string) (release func()) {
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
			}
		}
		k.mu.Unlock()
		select {
		case <-ctx.Done():
			return func() {}
		case <-free:
		}
	}
}

// Limits of a quota of large bodies and handshakes: the holders in all, and those of one namespace. The owner of a
// namespace may run many backends that respond as slowly as they can.
const (
	largeOfAll = 32
	largeOfOne = 4
)

// quota limits the holders per namespace and in all. The zero value is ready to use.
type quota struct {
	mu  sync.Mutex
	all chan struct{}
	of  map[string]chan struct{} // entries stay: they are small, and namespaces are few
}

// acquire waits for a free place. It fails only with the context's error.
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
