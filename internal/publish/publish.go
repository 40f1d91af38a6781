package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// DefaultFieldManager is the field manager of everything that is written.
const DefaultFieldManager = "dynamic-toolset"

const (
	// MaxBytes is the size a ConfigMap may have for anything to be written into it. The API server's limit is 1 MiB.
	MaxBytes = 900 << 10
	// WarnBytes is the size from which people should be warned.
	WarnBytes = 500 << 10
)

const (
	tries          = 3
	firstWait      = 100 * time.Millisecond // after a conflict; four times as long after the next
	requestTimeout = 10 * time.Second
)

// Client is what is needed of the ConfigMaps of one namespace; client-go's typed ConfigMapInterface has it.
type Client interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.ConfigMap, error)
	Apply(ctx context.Context, cm *applycorev1.ConfigMapApplyConfiguration, opts metav1.ApplyOptions) (*corev1.ConfigMap, error)
	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (*corev1.ConfigMap, error)
}

// Options say which ConfigMap it is.
type Options struct {
	Namespace, Name string
	// Labels are the ConfigMap's own; others may add theirs.
	Labels map[string]string
	// FieldManager is DefaultFieldManager if empty.
	FieldManager string
}

// Desired is what the ConfigMap should hold.
type Desired struct {
	// Keys are the generated keys and their texts, of reserved names only (toolset.OwnedKey). There is at least one.
	Keys map[string]string
	// Restore is the text of overrides.yaml to bring back if the ConfigMap, or the key, is not there; "" brings back
	// nothing. It is for a ConfigMap that was deleted, until Result.Live has the key: removing the key from a living one is
	// the admin's will.
	Restore string
	// Hold names keys (as in Drift) to leave as they are for now; see Repairs. Where all are held, a ConfigMap that is
	// gone is not made again.
	Hold []string
}

// Build computes what the ConfigMap should hold from what it holds, of which the overrides are a part; live is nil where
// there is none. It is called again after each conflict, with the ConfigMap as it is by then, so that no text is ever
// written that was computed from another state. It must not change live. An error ends Publish, which returns it: it is
// the place to look whether this process still leads.
type Build func(live *corev1.ConfigMap) (Desired, error)

// Result is what Publish did, also where it returns an error.
type Result struct {
	Written  bool     // the API server took at least one change
	Created  bool     // the ConfigMap was not there
	Restored bool     // overrides.yaml was brought back
	Changed  []string // generated keys and labels written, as in Difference
	Removed  []string // reserved keys removed
	Drifted  []Drift  // of both, those that somebody else had changed
	Held     []string // would have been written or removed, but for Desired.Hold
	Bytes    int      // size of the ConfigMap, or the size it would have where nothing was written
	// Live is the ConfigMap as it is now, as far as this process knows; nil if there is none.
	Live *corev1.ConfigMap
}

// Large reports that people should be warned of the ConfigMap's size.
func (r *Result) Large() bool { return r.Bytes > WarnBytes }

// Publisher writes one ConfigMap. It is for one goroutine. It remembers what it wrote, so that each term of leadership needs
// a new one.
type Publisher struct {
	client  Client
	options Options

	newest *corev1.ConfigMap // the newest one seen: a cache may lag behind
	known  map[string]string // the keys as they were after the last success; nil before
}

// New returns a Publisher for the ConfigMap that the options name.
func New(client Client, options Options) *Publisher {
	if options.FieldManager == "" {
		options.FieldManager = DefaultFieldManager
	}
	return &Publisher{client: client, options: options}
}

// Publish makes the ConfigMap hold what build says. live is the ConfigMap from the caller's cache with its managedFields,
// or nil if there is none. Conflicts with other writers are retried; what is left of them is an error to be retried at the
// next cycle. Errors are one line for people; ErrImmutable, ErrTooLarge, ErrSuperseded and ErrConflict can be told by
// errors.Is, and the step that failed by errors.As with *Error. An error of build is returned as it is.
func (p *Publisher) Publish(ctx context.Context, live *corev1.ConfigMap, build Build) (Result, error) {
	res := &Result{}
	live, err := p.current(ctx, live)
	if err != nil {
		return *res, err
	}
	for try := 1; ; try++ {
		live, err = p.once(ctx, live, build, res)
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
			return *res, err // there is nothing that could have been in the way
		}
		if p.superseded(live, fresh) {
			res.Live = fresh
			return *res, p.fail(OpApply, ErrSuperseded)
		}
		live = fresh
	}
}

// current is the newest ConfigMap that is known, of the caller's and the one last written.
func (p *Publisher) current(ctx context.Context, live *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	switch {
	case p.newest == nil:
		return live, nil
	case live == nil: // deleted, or the caller's cache does not have it yet
		return p.get(ctx)
	}
	if c, err := resourceversion.CompareResourceVersion(live.ResourceVersion, p.newest.ResourceVersion); err == nil && c < 0 {
		return p.newest, nil
	}
	return live, nil
}

// once goes through the steps that the difference asks for, each from what the one before left. It returns the ConfigMap
// that the last step left, or that a failing one was computed from.
func (p *Publisher) once(ctx context.Context, live *corev1.ConfigMap, build Build, res *Result) (*corev1.ConfigMap, error) {
	want, err := build(live)
	if err != nil {
		return live, err
	}
	if err := want.Check(); err != nil {
		return live, err
	}
	d := p.Compare(live, want)
	res.Bytes, res.Held = d.Bytes, d.Held
	switch {
	case d.allHeld, d.none():
		p.settled(live, want)
		return live, nil
	case d.Immutable:
		return live, p.fail(OpApply, ErrImmutable)
	case d.Bytes > MaxBytes:
		return live, p.fail(OpApply, fmt.Errorf("%w (%d KiB, and at most %d KiB are written)", ErrTooLarge, d.Bytes>>10, MaxBytes>>10))
	}
	// step keeps what one request led to.
	step := func(next *corev1.ConfigMap, err error) error {
		if err != nil {
			return err
		}
		res.Written = true
		live, p.newest = next, next
		d = p.Compare(live, want)
		return nil
	}
	found := d
	if d.absent || d.restore {
		if err := step(p.restore(ctx, live, want)); err != nil {
			return live, err
		}
		res.Created = res.Created || found.absent
		res.Restored = res.Restored || found.restore
	}
	if len(d.binary) > 0 {
		if err := step(p.move(ctx, live, want, d.binary)); err != nil {
			return live, err
		}
	}
	if len(d.Changed) > 0 || len(d.leftovers) > 0 && !d.owner {
		if err := step(p.apply(ctx, live, want)); err != nil {
			return live, err
		}
	}
	res.add(&found.Changed, nil, found.Drifted)
	if len(d.Stale) > 0 {
		if err := step(p.prune(ctx, live, d.Stale)); err != nil {
			return live, err
		}
	}
	res.add(nil, &found.Stale, found.Drifted)
	if len(d.leftovers) > 0 {
		if err := step(p.disown(ctx, live)); err != nil {
			return live, err
		}
	}
	p.settled(live, want)
	return live, nil
}

func (p *Publisher) settled(live *corev1.ConfigMap, want Desired) {
	p.newest, p.known = live, maps.Clone(want.Keys)
}

// add notes what a step wrote, each key once however many tries it took.
func (r *Result) add(changed, removed *[]string, drifted []Drift) {
	note := func(list *[]string, keys *[]string) {
		if keys == nil {
			return
		}
		*list = append(*list, *keys...)
		slices.Sort(*list)
		*list = slices.Compact(*list)
		for _, d := range drifted {
			if slices.Contains(*keys, d.Key) && !slices.ContainsFunc(r.Drifted, func(o Drift) bool { return o.Key == d.Key }) {
				r.Drifted = append(r.Drifted, d)
			}
		}
	}
	note(&r.Changed, changed)
	note(&r.Removed, removed)
}

// Check guards the keys of others against a mistake of ours.
func (d *Desired) Check() error {
	if len(d.Keys) == 0 {
		return errors.New("nothing to publish: no key was generated")
	}
	for k := range d.Keys {
		if !toolset.OwnedKey(k) {
			return fmt.Errorf("refusing to write the key %s: it has none of the reserved names", k)
		}
	}
	return nil
}

// wait returns early with the context's error. The jitter keeps two writers from meeting again and again.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d)) //nolint:gosec // jitter
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
