package publish

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// FieldManager is the field manager of all writes.
const FieldManager = "dynamic-toolset"

const (
	// MaxBytes is the largest size of a ConfigMap that is written. The API server's limit is 1 MiB.
	MaxBytes = 900 << 10
	// WarnBytes is the size above which a warning is reported.
	WarnBytes = 500 << 10
)

const (
	tries          = 3
	firstWait      = 100 * time.Millisecond // after the first conflict; four times as long after each further one
	requestTimeout = 10 * time.Second
)

// Client is the part of client-go's ConfigMapInterface that a Publisher uses.
type Client interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.ConfigMap, error)
	Apply(
		ctx context.Context, cm *applycorev1.ConfigMapApplyConfiguration, opts metav1.ApplyOptions,
	) (*corev1.ConfigMap, error)
	Patch(
		ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions,
		subresources ...string,
	) (*corev1.ConfigMap, error)
}

// Options name the ConfigMap.
type Options struct {
	Namespace, Name string
	// Labels are the labels that are written. Other writers may add more.
	Labels map[string]string
	// Live returns the ConfigMap from the caller's cache, with its managedFields. It returns nil if there is none.
	Live func() *corev1.ConfigMap
	// Reason describes an error that means that the API server cannot be reached, and returns "" for other errors.
	Reason func(error) string
}

// Desired is what the ConfigMap should hold.
type Desired struct {
	// Keys are the generated keys and their texts. There is at least one. Each has a reserved name (toolset.OwnedKey)
	// or a name in Own.
	Keys map[string]string
	// Own are further names of keys that belong to this service.
	Own []string
	// Restore is the text of overrides.yaml to restore if the ConfigMap or the key does not exist. "" restores nothing,
	// as after the admin has removed the key from an existing ConfigMap.
	Restore string
	// Hold names keys (as in Drift) that must not be changed for now; see Repairs. If all keys are held, a deleted
	// ConfigMap is not created again.
	Hold []string
}

// Build computes what the ConfigMap should hold from what it holds now, because that includes the overrides. live is
// nil if there is no ConfigMap, and must not be changed. Publish calls Build again after each conflict. Build returns
// an error if this process no longer leads.
type Build func(live *corev1.ConfigMap) (Desired, error)

// Result is what Publish did, also if it returns an error.
type Result struct {
	Written  bool     // the API server accepted at least one change
	Created  bool     // the ConfigMap did not exist
	Restored bool     // overrides.yaml was restored
	Changed  []string // generated keys and labels written, as in Difference
	Removed  []string // reserved keys removed
	Drifted  []Drift  // the keys in Changed and Removed that another writer had changed
	Held     []string // keys that were left as they are because of Desired.Hold
	Bytes    int      // size of the ConfigMap, or the size it would have if nothing was written
	// Live is the newest ConfigMap that this process knows; nil if there is none.
	Live *corev1.ConfigMap
}

// Large reports whether the ConfigMap is so large that a warning is needed.
func (r *Result) Large() bool { return r.Bytes > WarnBytes }

// Publisher writes one ConfigMap. It is for one goroutine. It remembers what it wrote until NewTerm is called.
type Publisher struct {
	client  Client
	options Options

	newest *corev1.ConfigMap // the newest one seen, because the cache may lag behind
	shown  *corev1.ConfigMap // what the cache showed last
	seen   time.Time         // when the cache last showed something new, or was checked; zero: it must be checked
	known  map[string]string // the keys after the last success; nil before
	tried  map[string]string // the keys that were sent last; some of them may not have been accepted
}

// New returns a Publisher for the ConfigMap that the options name.
func New(client Client, options Options) *Publisher {
	return &Publisher{client: client, options: options}
}

// NewTerm drops what the Publisher remembers. It is called when this replica begins to lead, because another replica
// may have written since.
func (p *Publisher) NewTerm() { p.newest, p.known, p.tried = nil, nil, nil }

// Drifted returns the keys of want that another writer has changed in live.
func (p *Publisher) Drifted(live *corev1.ConfigMap, want Desired) []Drift {
	return p.Compare(live, want).Drifted
}

// Publish makes the ConfigMap hold what build returns. It retries conflicts with other writers, and returns the last
// one as an error. An error of build is returned unchanged. Others are an *Error, with one of the Err reasons of this
// package if it applies.
func (p *Publisher) Publish(ctx context.Context, build Build) (Result, error) {
	res := &Result{}
	live, err := p.current(ctx)
	if err != nil {
		return *res, err
	}
	for try := 1; ; try++ {
		live, err = p.write(ctx, live, build, res)
		res.Live = live
		if err == nil || !retryable(err, live) {
			return *res, err
		}
		if try == tries {
			return *res, p.conflict(err)
		}
		if err := wait(ctx, firstWait<<(2*(try-1))); err != nil {
			return *res, p.explain(OpApply, err)
		}
		fresh, getErr := p.get(ctx)
		if getErr != nil {
			return *res, getErr
		}
		if fresh == nil && apierrors.IsInvalid(err) {
			return *res, err // no other writer created it: the request itself is invalid
		}
		if superseded(live, fresh) {
			res.Live = fresh
			return *res, p.fail(OpApply, ErrSuperseded)
		}
		live = fresh
	}
}

// write sends the requests that make the ConfigMap hold what build returns. Each request is computed from the result of
// the previous one. write returns the ConfigMap after the last request, or the one before a request that failed.
func (p *Publisher) write(
	ctx context.Context, live *corev1.ConfigMap, build Build, res *Result,
) (*corev1.ConfigMap, error) {
	want, err := build(live)
	if err != nil {
		return live, err
	}
	d := p.Compare(live, want)
	res.Bytes, res.Held = d.Bytes, d.Held
	drifted := d.Drifted // read before the writes, because an apply changes the owners
	switch {
	case d.allHeld, d.none():
		p.settled(live, want)
		return live, nil
	case d.Immutable:
		return live, p.fail(OpApply, ErrImmutable)
	case d.Bytes > MaxBytes:
		return live, p.fail(OpApply,
			fmt.Errorf("%w (%d KiB, and at most %d KiB are written)", ErrTooLarge, d.Bytes>>10, MaxBytes>>10))
	}
	p.tried = maps.Clone(want.Keys)
	for _, step := range []step{p.restore, p.move, p.apply, p.prune, p.disown} {
		r := step(live, want, &d)
		if r == nil {
			continue
		}
		next, err := p.send(ctx, r)
		if err != nil {
			return live, err
		}
		res.add(r, drifted)
		live, p.newest = next, next
		d = p.Compare(live, want)
	}
	p.settled(live, want)
	return live, nil
}

func (p *Publisher) settled(live *corev1.ConfigMap, want Desired) {
	p.newest, p.known = live, maps.Clone(want.Keys)
}

// add records what a request wrote. Each key is recorded once, even if it was written in several tries.
func (r *Result) add(sent *request, drifted []Drift) {
	r.Written = true
	r.Created = r.Created || sent.created
	r.Restored = r.Restored || sent.restored
	r.Changed = union(r.Changed, sent.changed)
	r.Removed = union(r.Removed, sent.removed)
	for _, d := range drifted {
		written := slices.Contains(sent.changed, d.Key) || slices.Contains(sent.removed, d.Key)
		if written && !slices.ContainsFunc(r.Drifted, func(o Drift) bool { return o.Key == d.Key }) {
			r.Drifted = append(r.Drifted, d)
		}
	}
}

func union(a, b []string) []string {
	a = append(a, b...)
	slices.Sort(a)
	return slices.Compact(a)
}

func (d *Desired) owns(key string) bool { return toolset.OwnedKey(key) || slices.Contains(d.Own, key) }

// wait waits for about d, and returns the context's error if ctx ends before. The jitter keeps two writers from
// conflicting again and again.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d/2 + rand.N(d)): //nolint:gosec // jitter
		return nil
	}
}
