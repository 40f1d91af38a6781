package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Publish makes the directory hold what build returns; see publish.Publisher. It first writes all new files in full,
// under other names, and then renames them. So a reader sees the old text or the new one, and a full disk changes
// nothing. A file that is right is not written.
func (o *Output) Publish(ctx context.Context, build publish.Build) (publish.Result, error) {
	o.busy <- struct{}{}
	defer func() { <-o.busy }()
	var res publish.Result
	const tries = 3 // another process may make or remove the directory meanwhile
	for range tries {
		done, err := o.once(ctx, build, &res)
		if v := o.snapshot.Load(); err == nil && done && v.unread != nil {
			text := reason(v.unread) + "; the overrides that were read last stay in force until it can be read"
			err = o.fail(publish.OpRead, toolset.KeyOverrides, explained{text, v.unread})
		}
		res.Live = o.Live()
		if err != nil || done {
			return res, err
		}
	}
	return res, o.fail(publish.OpApply, "", publish.ErrConflict)
}

// once publishes. It is not done if another process made or removed the directory meanwhile.
func (o *Output) once(ctx context.Context, build publish.Build, res *publish.Result) (done bool, err error) {
	if err := o.quiet(ctx); err != nil {
		return false, o.fail(publish.OpRead, "", err)
	}
	v := o.snapshot.Load()
	if v.cm != nil {
		if err := o.lock(); err != nil {
			return false, err
		}
	}
	want, err := build(v.cm)
	if err != nil {
		return false, err
	}
	d, drifted := o.compare(v.cm, want)
	restore := want.Restore != "" && overridesOf(v.cm) == nil
	res.Bytes, res.Held = d.Bytes, d.Held
	switch {
	case v.cm == nil && len(d.Changed) == 0: // all keys are held
		return true, nil
	case len(d.Changed) == 0 && len(d.Stale) == 0 && !restore:
		o.known, o.settled = maps.Clone(want.Keys), true
		return true, nil
	case d.Bytes > publish.MaxBytes:
		return false, o.fail(publish.OpApply, "", fmt.Errorf("%w (%d KiB, and at most %d KiB are written)",
			publish.ErrTooLarge, d.Bytes>>10, publish.MaxBytes>>10))
	case ctx.Err() != nil:
		return false, o.fail(publish.OpApply, "", ctx.Err())
	case v.cm == nil:
		if v, err = o.make(); err != nil || v == nil {
			return false, err
		}
		res.Created = true
	}
	if o.known == nil {
		o.known = map[string]string{}
	}
	w := writer{Output: o, res: res, next: &snapshot{cm: v.cm.DeepCopy(), unread: v.unread}}
	err = w.write(want, d, restore)
	for _, drift := range drifted {
		if slices.Contains(res.Changed, drift.Key) || slices.Contains(res.Removed, drift.Key) {
			res.Drifted = append(res.Drifted, drift)
		}
	}
	if _, statErr := os.Stat(o.dir); errors.Is(err, fs.ErrNotExist) && errors.Is(statErr, fs.ErrNotExist) {
		return false, nil // the directory was removed
	}
	if err != nil {
		return false, err
	}
	o.known, o.settled = maps.Clone(want.Keys), true
	return true, nil
}

// quiet waits until nothing changes in the directory any more. While a directory is being deleted file by file, it must
// not be repaired, and its overrides do not count as removed.
func (o *Output) quiet(ctx context.Context) error {
	const looks = 5
	for range looks {
		_, again, err := o.look()
		if err != nil || !again {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(o.opts.Poll):
		}
	}
	return publish.ErrConflict
}

// lock makes sure that no other process writes here.
func (o *Output) lock() error {
	if o.opts.Lock == nil {
		return nil
	}
	if err := o.opts.Lock.Ensure(); err != nil {
		return publish.NewError(publish.OpApply, err.Error(), err)
	}
	return nil
}

// make makes the missing directory. It returns nil if another process has made it and put files into it.
func (o *Output) make() (*snapshot, error) {
	if err := makeDir(o.dir); err != nil {
		return nil, o.fail(publish.OpRestore, "", err)
	}
	if err := o.lock(); err != nil {
		return nil, err
	}
	v, err := o.read()
	if err != nil {
		return nil, o.fail(publish.OpRead, "", err)
	}
	if v.cm == nil || len(v.cm.Data) > 0 || len(v.cm.BinaryData) > 0 {
		return nil, nil
	}
	o.show(v)
	return v, nil
}
