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

// Client is the part of client-go's ConfigMapInterface that is used.
type Client interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.ConfigMap, error)
	Apply(
		ctx context.Context, cm *applycorev1.ConfigMapApplyConfiguration, opts metav1.ApplyOptions,
	) (*corev1.ConfigMap, error)
	Patch(
		ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string,
	) (*corev1.ConfigMap, error)
}

// Options say which ConfigMap it is.
type Options struct {
	Namespace, Name string
	// Labels are the ConfigMap's own; others may add theirs.
	Labels map[string]string
	// FieldManager is DefaultFieldManager if empty.
	FieldManager string
	// Live is the ConfigMap from the caller's cache, with its managedFields; nil if there is none.
	Live func() *corev1.ConfigMap
	// Reason says in words what keeps this process from the API server, "" for errors of another kind; may be nil.
	Reason func(error) string
}

// Desired is what the ConfigMap should hold.
type Desired struct {
	// Keys are the generated keys and their texts, of reserved names (toolset.OwnedKey) and of Own only. There is at
	// least one.
	Keys map[string]string
	// Own are the names beside the reserved ones that are this service's: what stands there and is no longer
	// generated is removed.
	Own []string
	// Restore is the text of overrides.yaml to bring back if the ConfigMap, or the key, is not there; "" brings back
	// nothing. It is for a ConfigMap that was deleted, until Result.Live has the key: removing the key from a living
	// one is the admin's will.
	Restore string
	// Hold names keys (as in Drift) to leave as they are for now; see Repairs. Where all are held, a ConfigMap that is
	// gone is not made again.
	Hold []string
}

// Build computes what the ConfigMap should hold from what it holds, of which the overrides are a part; live is nil
// where there is none. It is called again after each conflict, with the ConfigMap as it is then, so that no text is
// ever written that was computed from another state. It must not change live. An error ends Publish, which returns
// it: it is the place to look whether this process still leads.
type Build func(live *corev1.ConfigMap) (Desired, error)

// Result is what Publish did, also where it returns an error.
type Result struct {
	Written  bool     // the API server took at least one change
	Created  bool     // the ConfigMap was not there
	Restored bool     // overrides.yaml was brought back
	Changed  []string // generated keys and labels written, as in Difference
	Removed  []string // reserved keys removed
	Drifted  []Drift  // of both, those that another writer had changed
	Held     []string // would have been written or removed, but for Desired.Hold
	Bytes    int      // size of the ConfigMap, or the size it would have where nothing was written
	// Live is the ConfigMap as it is now, as far as this process knows; nil if there is none.
	Live *corev1.ConfigMap
}

// Large reports that people should be warned of the ConfigMap's size.
func (r *Result) Large() bool { return r.Bytes > WarnBytes }

// Publisher writes one ConfigMap. It is for one goroutine. It remembers what it wrote, until NewTerm.
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
	if options.Reason == nil {
		options.Reason = func(error) string { return "" }
	}
	return &Publisher{client: client, options: options}
}

// NewTerm forgets what was written: this replica begins to lead, and another may have written since.
func (p *Publisher) NewTerm() { p.newest, p.known = nil, nil }

// Drifted is what another writer has changed in live, of what want says.
func (p *Publisher) Drifted(live *corev1.ConfigMap, want Desired) []Drift {
	return p.Compare(live, want).Drifted
}

// Publish makes the ConfigMap hold what build says. Conflicts with other writers are retried; the last is an error,
// to be retried at the next cycle. Errors are one line for people. errors.Is finds ErrImmutable, ErrTooLarge,
// ErrSuperseded and ErrConflict, errors.As with *Error the step that failed. An error of build is returned unchanged.
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
func (p *Publisher) current(ctx context.Context) (*corev1.ConfigMap, error) {
	live := p.options.Live()
	switch {
	case p.newest == nil:
		return live, nil
	case live == nil: // deleted, or the caller's cache does not have it yet
		return p.get(ctx)
	}
	order, err := resourceversion.CompareResourceVersion(live.ResourceVersion, p.newest.ResourceVersion)
	if err == nil && order < 0 {
		return p.newest, nil
	}
	return live, nil
}

// write sends the requests that make the ConfigMap hold what build says, each computed from what the one before left.
// It returns the ConfigMap that the last one left, or that a failing one was computed from.
func (p *Publisher) write(
	ctx context.Context, live *corev1.ConfigMap, build Build, res *Result,
) (*corev1.ConfigMap, error) {
	want, err := build(live)
	if err != nil {
		return live, err
	}
	if err := want.Check(); err != nil {
		return live, err
	}
	d := p.Compare(live, want)
	res.Bytes, res.Held = d.Bytes, d.Held
	drifted := d.Drifted // before anything is written: an apply changes who owns what
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

// add notes what a request wrote, each key once however many tries it took.
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

// Check guards the keys of others against a mistake of ours.
func (d *Desired) Check() error {
	if len(d.Keys) == 0 {
		return errors.New("nothing to publish: no key was generated")
	}
	for k := range d.Keys {
		if !d.owns(k) {
			return fmt.Errorf("refusing to write the key %s: it has none of the reserved names", k)
		}
	}
	return nil
}

func (d *Desired) owns(key string) bool { return toolset.OwnedKey(key) || slices.Contains(d.Own, key) }

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
