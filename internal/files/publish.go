package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Publish makes the directory hold what build says; see publish.Publisher. Every file is written beside its place and then
// renamed into it, and no file before all are written in full: a reader sees the old text or the new one, and a full disk
// leaves everything as it is. What is right is not touched.
func (o *Output) Publish(ctx context.Context, build publish.Build) (publish.Result, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var res publish.Result
	const tries = 3 // somebody may make the directory that we are about to make
	for range tries {
		done, err := o.once(ctx, build, &res)
		if err == nil && done {
			err = o.unread()
		}
		res.Live = o.Live()
		if err != nil || done {
			return res, err
		}
	}
	return res, publish.NewError(publish.OpApply, o.dir+": "+publish.ErrConflict.Error(), publish.ErrConflict)
}

// unread is an error while the overrides that are in force are not those in the directory.
func (o *Output) unread() error {
	if err := o.view.Load().unread; err != nil {
		return o.fail(publish.OpRead, toolset.KeyOverrides,
			explained{reasonOf(err) + "; the overrides that were read last stay in force until it can be read", err})
	}
	return nil
}

func (o *Output) once(ctx context.Context, build publish.Build, res *publish.Result) (done bool, err error) {
	if err := o.quiet(ctx); err != nil {
		return false, o.fail(publish.OpRead, "", err)
	}
	if o.view.Load().cm != nil {
		if err := o.lock(); err != nil {
			return false, err
		}
	}
	v := o.view.Load()
	want, err := build(v.cm)
	if err != nil {
		return false, err
	}
	if err := want.Check(); err != nil {
		return false, err
	}
	d, drifted := o.compare(v, want)
	restore := want.Restore != "" && overridesOf(v.cm) == nil
	res.Bytes, res.Held = d.Bytes, d.Held
	switch {
	case v.cm == nil && len(d.Changed) == 0: // all are held
		return true, nil
	case len(d.Changed) == 0 && len(d.Stale) == 0 && !restore:
		o.right(want)
		if o.opts.Lock != nil {
			o.sweep(v)
		}
		return true, nil
	case d.Bytes > publish.MaxBytes:
		return false, publish.NewError(publish.OpApply, fmt.Sprintf("%s: %v (%d KiB, and at most %d KiB are written)",
			o.dir, publish.ErrTooLarge, d.Bytes>>10, publish.MaxBytes>>10), publish.ErrTooLarge)
	case ctx.Err() != nil:
		return false, o.fail(publish.OpApply, "", ctx.Err())
	}
	if v.cm == nil {
		if empty, err := o.make(); err != nil || !empty {
			return false, err
		}
		res.Created = true
	}
	w := writer{Output: o, res: res}
	err = w.write(want, d.Changed, restore)
	if err == nil {
		err = w.prune(d.Stale)
	}
	if syncErr := w.sync(); err == nil {
		err = syncErr
	}
	for _, drift := range drifted {
		if slices.Contains(res.Changed, drift.Key) || slices.Contains(res.Removed, drift.Key) {
			res.Drifted = append(res.Drifted, drift)
		}
	}
	if _, _, scanErr := o.refresh(); err == nil && scanErr != nil {
		err = o.fail(publish.OpRead, "", scanErr)
	}
	if errors.Is(err, fs.ErrNotExist) { // the directory was taken away
		return false, nil
	}
	if err != nil {
		return false, err
	}
	o.right(want)
	o.pokeUnless(v.cm, want, restore)
	return true, nil
}

// quiet looks at the directory until nothing changes in it any more: what is being deleted with all that is in it must not be
// repaired piece by piece, and its overrides not be taken for removed.
func (o *Output) quiet(ctx context.Context) error {
	const looks = 5
	for range looks {
		changed, _, err := o.refresh()
		if err != nil || !changed {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(o.opts.Settle):
		}
	}
	return nil
}

func (o *Output) right(want publish.Desired) { o.known, o.settled = maps.Clone(want.Keys), true }

// pokeUnless tells of what somebody else did while we wrote: he was not told apart from us.
func (o *Output) pokeUnless(live *corev1.ConfigMap, want publish.Desired, restored bool) {
	v := o.view.Load()
	d, _ := o.compare(v, want)
	overrides := overridesOf(live)
	if restored {
		overrides = []byte(want.Restore)
	}
	if len(d.Changed) > 0 || len(d.Stale) > 0 || !bytes.Equal(overridesOf(v.cm), overrides) {
		o.poke()
	}
}

// lock makes sure that nobody else writes here.
func (o *Output) lock() error {
	if o.opts.Lock == nil {
		return nil
	}
	if err := o.opts.Lock.Ensure(); err != nil {
		return publish.NewError(publish.OpApply, err.Error(), err)
	}
	return nil
}

// make makes the directory that is not there. It is not empty if somebody else made one with something in it meanwhile.
func (o *Output) make() (empty bool, err error) {
	if err := os.MkdirAll(o.dir, 0o755); err != nil { //nolint:gosec // what is written is for others to read
		return false, o.fail(publish.OpRestore, "", err)
	}
	if err := o.lock(); err != nil {
		return false, err
	}
	if _, _, err := o.refresh(); err != nil {
		return false, o.fail(publish.OpRead, "", err)
	}
	v := o.view.Load()
	return v.cm != nil && len(v.cm.Data) == 0 && len(v.cm.BinaryData) == 0 && len(v.wrong) == 0, nil
}

// sweep removes what was left half-written.
func (o *Output) sweep(v *view) {
	for _, name := range v.temps {
		if err := o.root.Remove(name); err == nil {
			o.opts.Log.Info("removed a file that was left half-written", "file", name)
		}
	}
}
