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
	next  *snapshot         // what the directory holds by what was written
	temps map[string]string // by key
}

// write writes keys, and before them overrides that are to be restored: a process that ends in between must not leave
// a directory from which the admin seems to have removed them. state.json is next: what it says too much is probed
// again, what it lacks would be withdrawn.
func (w *writer) write(want publish.Desired, d publish.Difference, restore bool) error {
	keys := slices.Clone(d.Changed)
	if i := slices.Index(keys, toolset.KeyState); i > 0 {
		keys = slices.Insert(slices.Delete(keys, i, i+1), 0, toolset.KeyState)
	}
	defer func() {
		for _, temp := range w.temps {
			_ = w.root.Remove(temp) // if it cannot be, it is tried again
		}
		if w.res.Written {
			w.show(w.next)
		}
	}()
	for _, k := range keys {
		if err := w.prepare(k, want.Keys[k]); err != nil {
			return w.fail(publish.OpApply, k, err)
		}
	}
	if restore {
		if err := w.restore(want.Restore); err != nil {
			return w.fail(publish.OpRestore, toolset.KeyOverrides, err)
		}
	}
	for _, k := range keys {
		if err := w.commit(k, want.Keys[k]); err != nil {
			return w.fail(publish.OpApply, k, err)
		}
	}
	for _, k := range d.Stale {
		if err := w.prune(k); err != nil {
			return w.fail(publish.OpPrune, k, err)
		}
	}
	if err := w.sync(); err != nil {
		return w.fail(publish.OpApply, "", err)
	}
	return nil
}

// prepare writes a text in full beside its place.
func (w *writer) prepare(key, text string) error {
	temp := tempPrefix + strings.ToLower(rand.Text()) + tempSuffix
	f, err := w.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w.temps[key] = temp
	if _, err = f.WriteString(text); err == nil {
		_ = f.Chmod(mode) // a file system without modes has its own
		err = f.Sync()
	}
	if info, statErr := f.Stat(); err == nil && statErr == nil {
		w.perm = info.Mode().Perm()
	}
	return errors.Join(err, f.Close())
}

// restore writes the overrides again, unless another process has done so meanwhile.
func (w *writer) restore(text string) error {
	if err := w.prepare(toolset.KeyOverrides, text); err != nil {
		return err
	}
	temp := w.temps[toolset.KeyOverrides]
	err := w.root.Link(temp, toolset.KeyOverrides)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without hard links
		if _, err = w.root.Lstat(toolset.KeyOverrides); err == nil {
			return nil
		}
		err = w.root.Rename(temp, toolset.KeyOverrides)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		w.res.Written, w.res.Restored = true, true
		w.next.put(toolset.KeyOverrides, []byte(text))
	}
	return err
}

// commit puts a text in its place. Whatever stands there is replaced, and never written through.
func (w *writer) commit(key, text string) error {
	if err := w.clear(key); err != nil {
		return err
	}
	if err := w.root.Rename(w.temps[key], key); err != nil {
		return err
	}
	delete(w.temps, key)
	w.wrote(&w.res.Changed, key)
	w.known[key] = text
	w.next.put(key, []byte(text))
	return nil
}

// prune removes a generated name that is no longer generated.
func (w *writer) prune(key string) error {
	err := w.clear(key)
	if err == nil {
		err = w.root.Remove(key)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		w.wrote(&w.res.Removed, key)
		return nil
	}
	return err
}

// wrote notes that a key is not what it was.
func (w *writer) wrote(list *[]string, key string) {
	w.res.Written = true
	*list = append(*list, key)
	slices.Sort(*list)
	*list = slices.Compact(*list)
	w.next.remove(key)
	delete(w.known, key)
}

// clear takes a directory out of the way, which a file cannot replace. What is in it is kept.
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
	w.opts.Log.Warn("directory in the place of a file moved aside", "dir", w.dir, "was", name, "is", aside)
	return nil
}

// sync makes the names last.
func (w *writer) sync() error {
	d, err := w.root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
