package files

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// writer writes once.
type writer struct {
	*Output
	res  *publish.Result
	next *snapshot // the directory with the writes so far
}

// tempName returns the name under which a key is written in full, before it gets its own. No key begins with a dot, and
// the name of a key of 253 bytes still fits into a directory.
func tempName(key string) string { return "." + key + "~" }

// write writes the overrides first if they must be restored: a process that ends in between must not leave a directory
// from which the admin seems to have removed them. state.json is next: a backend that it names without need is probed
// again, and one that it lacks would be withdrawn.
func (w *writer) write(want publish.Desired, d publish.Difference, restore bool) error {
	keys := slices.Clone(d.Changed)
	if i := slices.Index(keys, toolset.KeyState); i > 0 {
		keys = slices.Insert(slices.Delete(keys, i, i+1), 0, toolset.KeyState)
	}
	defer func() {
		for _, k := range append(keys, toolset.KeyOverrides) {
			_ = w.root.Remove(tempName(k)) // after a success there is none; one that stays is replaced next time
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
		if err := w.root.Remove(k); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return w.fail(publish.OpPrune, k, err)
		}
		w.wrote(&w.res.Removed, k)
	}
	if err := w.sync(); err != nil {
		return w.fail(publish.OpApply, "", err)
	}
	return nil
}

// prepare writes a text in full under the temporary name.
func (w *writer) prepare(key, text string) error {
	temp := tempName(key)
	if err := w.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) { // a killed process left it
		return err
	}
	f, err := w.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(text); err == nil {
		_ = f.Chmod(mode) // it fails on a file system without modes
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// restore writes the overrides again, unless somebody has written them meanwhile.
func (w *writer) restore(text string) error {
	if err := w.prepare(toolset.KeyOverrides, text); err != nil {
		return err
	}
	err := w.root.Link(tempName(toolset.KeyOverrides), toolset.KeyOverrides) // unlike a rename, it replaces nothing
	if err != nil && !errors.Is(err, fs.ErrExist) {                          // a file system without hard links
		if _, err = w.root.Lstat(toolset.KeyOverrides); err == nil {
			return nil
		}
		err = w.root.Rename(tempName(toolset.KeyOverrides), toolset.KeyOverrides)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	w.res.Written, w.res.Restored = true, true
	put(w.next.cm, toolset.KeyOverrides, []byte(text))
	return nil
}

// commit gives a text its own name. A file or link of that name is replaced, and an empty directory too.
func (w *writer) commit(key, text string) error {
	if info, err := w.root.Lstat(key); err == nil && info.IsDir() {
		if err := w.root.Remove(key); err != nil {
			return err
		}
	}
	if err := w.root.Rename(tempName(key), key); err != nil {
		return err
	}
	w.wrote(&w.res.Changed, key)
	w.known[key] = text
	put(w.next.cm, key, []byte(text))
	return nil
}

// wrote records that a key was written or removed.
func (w *writer) wrote(list *[]string, key string) {
	w.res.Written = true
	*list = append(*list, key)
	slices.Sort(*list)
	*list = slices.Compact(*list)
	delete(w.next.cm.Data, key)
	delete(w.next.cm.BinaryData, key)
	delete(w.known, key)
}

// sync makes the new names survive a crash of the system.
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
