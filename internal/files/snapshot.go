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
	"strings"
	"syscall"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// maxRead is how many bytes are read of a directory; a ConfigMap cannot have more.
const maxRead = 1 << 20

// Names of files that are being written. No key of a ConfigMap begins with two dots.
const (
	tempPrefix = "..dynamic-toolset-"
	tempSuffix = ".tmp"
)

// snapshot is the directory as it was seen. It is not changed once it is shown.
type snapshot struct {
	cm *corev1.ConfigMap // nil if there is no directory
	// wrong has the generated keys in whose place there is something that cannot stay, whatever its text: what it is.
	wrong  map[string]string
	temps  []string // what a process left that was killed while it wrote
	unread error    // why overrides.yaml cannot be read; cm has what was read of it last
}

func (o *Output) newSnapshot(uid types.UID) *snapshot {
	return &snapshot{wrong: map[string]string{}, cm: &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: o.dir, UID: uid},
		Data:       map[string]string{},
		BinaryData: map[string][]byte{},
	}}
}

// same reports that both say the same of the directory.
func (v *snapshot) same(o *snapshot) bool {
	if v.cm == nil || o.cm == nil {
		return v.cm == nil && o.cm == nil
	}
	return v.cm.UID == o.cm.UID && maps.Equal(v.wrong, o.wrong) && maps.Equal(v.cm.Data, o.cm.Data) &&
		maps.EqualFunc(v.cm.BinaryData, o.cm.BinaryData, bytes.Equal) && fmt.Sprint(v.unread) == fmt.Sprint(o.unread)
}

// comparable is the ConfigMap to compare with what should be written: what is wrong is right by no text.
func (v *snapshot) comparable() *corev1.ConfigMap {
	if len(v.wrong) == 0 {
		return v.cm
	}
	cm := v.cm.DeepCopy()
	for name := range v.wrong {
		delete(cm.Data, name)
		cm.BinaryData[name] = nil
	}
	return cm
}

// clone is a snapshot that may be changed.
func (v *snapshot) clone() *snapshot {
	return &snapshot{cm: v.cm.DeepCopy(), wrong: maps.Clone(v.wrong), unread: v.unread}
}

func (v *snapshot) remove(name string) {
	delete(v.cm.Data, name)
	delete(v.cm.BinaryData, name)
	delete(v.wrong, name)
}

// put enters a text. What is not UTF-8 is binaryData, as in a ConfigMap.
func (v *snapshot) put(name string, text []byte) {
	if utf8.Valid(text) {
		v.cm.Data[name] = string(text)
		return
	}
	v.cm.BinaryData[name] = text
}

// overridesOf is the text of the overrides, nil if there is none.
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
	names, err := o.names()
	if err != nil {
		return nil, err
	}
	v := o.newSnapshot(uid)
	o.readOverrides(v)
	left := maxRead - len(overridesOf(v.cm))
	for _, name := range names {
		if isTemp(name) {
			v.temps = append(v.temps, name)
			continue
		}
		text, wrong := o.readKey(name, left)
		if wrong != "" {
			v.wrong[name] = wrong
			if text == nil && !toolset.OwnedKey(name) { // it is there, and whose it is cannot be seen
				v.put(name, []byte{0xff})
			}
		}
		if text != nil {
			left -= len(text)
			v.put(name, text)
		}
	}
	return v, nil
}

// readRecorded reads the directory again where its state.json has names that the configuration does not have any more.
func (o *Output) readRecorded(v *snapshot) (*snapshot, error) {
	if v.cm == nil {
		return v, nil
	}
	state, err := publish.DecodeState(v.cm.Data[toolset.KeyState])
	if err != nil || len(state.Keys) == 0 {
		return v, nil //nolint:nilerr // what is unreadable is reported where it is recalled
	}
	names := slices.Concat(o.own, state.Keys)
	slices.Sort(names)
	o.own = slices.Compact(names)
	return o.read()
}

// open opens the directory that is there now, if it is not the one that is open. The UID is empty if there is none.
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

// names are the generated ones in the directory, what must be read first in front.
func (o *Output) names() ([]string, error) {
	d, err := o.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var names []string
	for {
		some, err := d.Readdirnames(1024) // there may be any number of others
		for _, name := range some {
			if isTemp(name) || slices.Contains(o.own, name) ||
				toolset.OwnedKey(name) && len(validation.IsConfigMapKey(name)) == 0 {
				names = append(names, name)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	rank := func(name string) int { return slices.Index([]string{toolset.KeyHolmesGPT, toolset.KeyState}, name) }
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(rank(b)-rank(a), strings.Compare(a, b)) })
	return names, nil
}

func isTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// readKey reads a generated key. The text is nil if there is none that can be read, wrong says what cannot stay there.
func (o *Output) readKey(name string, limit int) (text []byte, wrong string) {
	info, err := o.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ""
	case err != nil || !info.Mode().IsRegular():
		return nil, "it is no regular file"
	case info.Size() > int64(limit):
		return nil, "too large"
	case info.Mode().Perm() != o.perm:
		wrong = "a file with other permissions"
	}
	f, err := o.root.OpenFile(name, os.O_RDONLY|readFlags, 0)
	if err == nil {
		text, err = readAll(f, limit)
	}
	if err != nil { // it will be replaced, which needs no reading
		return nil, "it cannot be read"
	}
	return text, wrong
}

// readOverrides reads the admin's file, which may be a symbolic link to anywhere. If it cannot be read, what was read
// last stays in force.
func (o *Output) readOverrides(v *snapshot) {
	path := o.overridesPath()
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, linkErr := os.Lstat(path); linkErr != nil {
			if o.opts.Overrides != "" { // not in the directory: nothing has to be restored when the directory is lost
				v.put(toolset.KeyOverrides, nil)
			}
			return
		}
		err = explained{"it is a symbolic link to nothing; put a file there", err}
	}
	if err == nil && !info.Mode().IsRegular() {
		err = explained{text: "it is no regular file; put one there"}
	}
	var text []byte
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_RDONLY|readFlags, 0); err == nil {
			text, err = readAll(f, maxRead)
		}
	}
	if v.unread = err; err == nil {
		v.put(toolset.KeyOverrides, text)
		return
	}
	last := o.Live()
	if last == nil {
		last = o.Gone()
	}
	if text := overridesOf(last); text != nil {
		v.put(toolset.KeyOverrides, text)
	}
}

func (o *Output) overridesPath() string {
	return cmp.Or(o.opts.Overrides, filepath.Join(o.dir, toolset.KeyOverrides))
}

// readAll reads a file to its end, and closes it. The text is not nil unless there is an error.
func readAll(f *os.File, limit int) ([]byte, error) {
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(text) > limit {
		err = explained{text: "it is larger than 1 MiB; shorten it"}
	}
	return text, err
}
