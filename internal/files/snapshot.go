package files

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// maxRead is the largest file, in bytes, that is read from a directory. A ConfigMap cannot hold more either.
const maxRead = 1 << 20

// snapshot is the state of the directory at one moment. After Output.show it does not change any more.
type snapshot struct {
	cm     *corev1.ConfigMap // nil if there is no directory
	unread error             // why overrides.yaml cannot be read; cm then has the last text that could be read
}

// same reports whether both have the same content.
func (v *snapshot) same(o *snapshot) bool {
	if v.cm == nil || o.cm == nil {
		return v.cm == nil && o.cm == nil
	}
	return v.cm.UID == o.cm.UID && maps.Equal(v.cm.Data, o.cm.Data) &&
		maps.EqualFunc(v.cm.BinaryData, o.cm.BinaryData, bytes.Equal) && fmt.Sprint(v.unread) == fmt.Sprint(o.unread)
}

// put adds a text. A text that is not UTF-8 goes into binaryData, as in a ConfigMap.
func put(cm *corev1.ConfigMap, name string, text []byte) {
	if utf8.Valid(text) {
		cm.Data[name] = string(text)
		return
	}
	cm.BinaryData[name] = text
}

// overridesOf returns the text of the overrides, nil if there is none.
func overridesOf(cm *corev1.ConfigMap) []byte {
	if cm == nil {
		return nil
	}
	if text, ok := cm.Data[toolset.KeyOverrides]; ok {
		return []byte(text)
	}
	return cm.BinaryData[toolset.KeyOverrides]
}

// read reads the directory as it is now.
func (o *Output) read() (*snapshot, error) {
	uid, err := o.open()
	if err != nil || uid == "" {
		return &snapshot{}, err
	}
	entries, err := fs.ReadDir(o.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	v := &snapshot{cm: &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: o.dir, UID: uid},
		Data:       map[string]string{},
		BinaryData: map[string][]byte{},
	}}
	o.readOverrides(v)
	for _, e := range entries {
		if name := e.Name(); o.isKey(name) {
			o.readKey(v.cm, name)
		}
	}
	return v, nil
}

// isKey reports whether a file in the directory is a generated key.
func (o *Output) isKey(name string) bool {
	return slices.Contains(o.own, name) || toolset.OwnedKey(name) && len(validation.IsConfigMapKey(name)) == 0
}

// readRecorded reads the directory again if its state.json has names that the configuration does not have any more.
func (o *Output) readRecorded(v *snapshot) (*snapshot, error) {
	if v.cm == nil {
		return v, nil
	}
	state, err := publish.DecodeState(v.cm.Data[toolset.KeyState])
	if err != nil || len(state.Keys) == 0 {
		return v, nil //nolint:nilerr // the controller reports it when it reads the state
	}
	o.own = slices.Concat(o.own, state.Keys)
	return o.read()
}

// open opens the directory if it is not open yet, or is another one now. The UID is empty if there is none.
func (o *Output) open() (types.UID, error) {
	now, err := os.Stat(o.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		o.close()
		return "", nil
	case err != nil:
		return "", err
	case !now.IsDir():
		return "", syscall.ENOTDIR
	}
	if o.root != nil {
		if open, err := o.root.Stat("."); err == nil && os.SameFile(open, now) {
			return o.uid(), nil
		}
	}
	root, err := os.OpenRoot(o.dir)
	if err != nil {
		return "", err
	}
	o.close()
	o.root = root
	o.opened++
	return o.uid(), nil
}

func (o *Output) uid() types.UID { return types.UID(fmt.Sprintf("%s#%d", o.dir, o.opened)) }

func (o *Output) close() {
	if o.root != nil {
		_ = o.root.Close() // nothing was written through it
		o.root = nil
	}
}

// readKey reads a generated key. If it cannot be read, it is in binaryData without a value: it must be replaced.
func (o *Output) readKey(cm *corev1.ConfigMap, name string) {
	info, err := o.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	cm.BinaryData[name] = nil
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	f, err := o.root.OpenFile(name, os.O_RDONLY|readFlags, 0)
	if err != nil {
		return
	}
	if text, err := readAll(f); err == nil {
		delete(cm.BinaryData, name)
		put(cm, name, text)
	}
}

// readOverrides reads the admin's file. It may be a symbolic link to any place. If it cannot be read, the last text
// stays in force.
func (o *Output) readOverrides(v *snapshot) {
	path := o.overridesPath()
	text, err := readFile(path)
	if _, linkErr := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && linkErr == nil {
		err = explained{"it is a symbolic link to nothing; put a file there", err}
	} else if errors.Is(err, fs.ErrNotExist) {
		if o.opts.Overrides != "" { // not in the directory: it does not have to be restored with the directory
			put(v.cm, toolset.KeyOverrides, nil)
		}
		return
	}
	if v.unread = err; err != nil {
		text = overridesOf(cmp.Or(o.Live(), o.Gone()))
	}
	if text != nil {
		put(v.cm, toolset.KeyOverrides, text)
	}
}

func (o *Output) overridesPath() string {
	return cmp.Or(o.opts.Overrides, filepath.Join(o.dir, toolset.KeyOverrides))
}

// readFile reads a regular file.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, explained{text: "it is no regular file; put one there"}
	}
	f, err := os.OpenFile(path, os.O_RDONLY|readFlags, 0)
	if err != nil {
		return nil, err
	}
	return readAll(f)
}

// readAll reads a file to its end, and closes it. Without an error the text is not nil.
func readAll(f *os.File) ([]byte, error) {
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRead+1))
	if err == nil && len(text) > maxRead {
		err = explained{text: "it is larger than 1 MiB; shorten it"}
	}
	return text, err
}
