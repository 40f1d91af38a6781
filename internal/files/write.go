package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

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
	if _, _, err := o.refresh(); err != nil {
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

func (o *Output) right(want publish.Desired) { o.known, o.settled = maps.Clone(want.Keys), true }

// pokeUnless tells of what somebody else did while we wrote: he was not told apart from us.
func (o *Output) pokeUnless(live *corev1.ConfigMap, want publish.Desired, restored bool) {
	v := o.view.Load()
	d, _ := o.compare(v, want)
	overrides := overridesOf(live)
	if restored {
		overrides = []byte(want.Restore)
	}
	if len(d.Changed) > 0 || len(d.Stale) > 0 || string(overridesOf(v.cm)) != string(overrides) {
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

// writer writes once.
type writer struct {
	*Output
	res   *publish.Result
	temps map[string]string // by key
	dirty bool              // the directory
}

// write writes keys, and the admin's overrides first where they are to be brought back: a process that ends in between must
// not find a directory from which the admin seems to have removed them. state.json is next: what it says too much is probed
// again, what it lacks would be withdrawn.
func (w *writer) write(want publish.Desired, keys []string, restore bool) error {
	keys = slices.Clone(keys)
	if i := slices.Index(keys, toolset.KeyState); i > 0 {
		keys = slices.Insert(slices.Delete(keys, i, i+1), 0, toolset.KeyState)
	}
	w.temps = map[string]string{}
	defer func() {
		for _, temp := range w.temps {
			_ = w.root.Remove(temp) // if it cannot be, it is tried again
		}
	}()
	for _, k := range keys {
		if err := w.prepare(publish.OpApply, k, want.Keys[k]); err != nil {
			return err
		}
	}
	if restore {
		if err := w.prepare(publish.OpRestore, toolset.KeyOverrides, want.Restore); err != nil {
			return err
		}
		if err := w.restore(); err != nil {
			return err
		}
	}
	for _, k := range keys {
		if err := w.commit(k, want.Keys[k]); err != nil {
			return err
		}
	}
	return nil
}

// prepare writes a text in full beside its place.
func (w *writer) prepare(op publish.Op, key, text string) error {
	temp := tempPrefix + strings.ToLower(rand.Text()) + tempSuffix
	f, err := w.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return w.fail(op, key, err)
	}
	w.temps[key] = temp
	if _, err = f.WriteString(text); err == nil {
		_ = f.Chmod(mode) // a file system without modes has its own
		err = f.Sync()
	}
	if info, statErr := f.Stat(); err == nil && statErr == nil {
		w.perm = info.Mode().Perm()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return w.fail(op, key, err)
	}
	return nil
}

// restore brings the overrides back, unless somebody else has done so meanwhile.
func (w *writer) restore() error {
	temp := w.temps[toolset.KeyOverrides]
	err := w.root.Link(temp, toolset.KeyOverrides)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil: // a file system without hard links
		if _, there := w.root.Lstat(toolset.KeyOverrides); there == nil {
			return nil
		}
		if err := w.root.Rename(temp, toolset.KeyOverrides); err != nil {
			return w.fail(publish.OpRestore, toolset.KeyOverrides, err)
		}
		delete(w.temps, toolset.KeyOverrides)
	}
	w.dirty, w.res.Written, w.res.Restored = true, true, true
	return nil
}

// commit puts a text in its place. Whatever stands there is replaced, and never written through.
func (w *writer) commit(key, text string) error {
	if err := w.clear(key); err != nil {
		return w.fail(publish.OpApply, key, err)
	}
	if err := w.root.Rename(w.temps[key], key); err != nil {
		return w.fail(publish.OpApply, key, err)
	}
	delete(w.temps, key)
	if w.known == nil {
		w.known = map[string]string{}
	}
	w.known[key] = text
	w.note(&w.res.Changed, key)
	return nil
}

// prune removes reserved names that are no longer generated.
func (w *writer) prune(keys []string) error {
	for _, k := range keys {
		err := w.clear(k)
		if err == nil {
			err = w.root.Remove(k)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return w.fail(publish.OpPrune, k, err)
		}
		delete(w.known, k)
		w.note(&w.res.Removed, k)
	}
	return nil
}

func (w *writer) note(list *[]string, key string) {
	w.dirty, w.res.Written = true, true
	*list = append(*list, key)
	slices.Sort(*list)
}

// clear takes a directory out of the way, which a file cannot replace. What somebody has put into it is kept.
func (w *writer) clear(name string) error {
	if info, err := w.root.Lstat(name); err != nil || !info.IsDir() {
		return nil
	}
	if err := w.root.Remove(name); err == nil || !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	aside := name + ".moved-aside-" + strings.ToLower(rand.Text()[:8])
	if err := w.root.Rename(name, aside); err != nil {
		return err
	}
	w.opts.Log.Warn("a directory stood where a file belongs, and is now beside it", "dir", w.dir, "was", name, "is", aside)
	return nil
}

// sync makes the names last.
func (w *writer) sync() error {
	if !w.dirty {
		return nil
	}
	d, err := w.root.Open(".")
	if err != nil {
		return w.fail(publish.OpApply, "", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return w.fail(publish.OpApply, "", err)
	}
	return nil
}
