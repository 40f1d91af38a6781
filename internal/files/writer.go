package files

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

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
	info, err := w.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !info.IsDir():
		return nil
	case err != nil:
		return err
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
