package files

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// maxRead is how many bytes are read of a directory; a ConfigMap cannot have more.
const maxRead = 1 << 20

// view is the directory as it was seen. It is not changed once it is shown.
type view struct {
	cm *corev1.ConfigMap // nil if there is no directory
	// wrong are the reserved names at which something stands that is no file as we write it, whatever it says: what it is.
	wrong  map[string]string
	temps  []string // what a process left that was killed while it wrote
	unread error    // why overrides.yaml cannot be read; cm has what was read of it last
}

// same reports that nobody needs to be told of the difference.
func (v *view) same(o *view) bool {
	if v.cm == nil || o.cm == nil {
		return v.cm == nil && o.cm == nil
	}
	text := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	return v.cm.UID == o.cm.UID && maps.Equal(v.wrong, o.wrong) && maps.Equal(v.cm.Data, o.cm.Data) &&
		maps.EqualFunc(v.cm.BinaryData, o.cm.BinaryData, bytes.Equal) && text(v.unread) == text(o.unread)
}

// shadow is the ConfigMap as what is to be written is compared with: what is wrong cannot be right by its text.
func (v *view) shadow() *corev1.ConfigMap {
	if v.cm == nil || len(v.wrong) == 0 {
		return v.cm
	}
	cm := &corev1.ConfigMap{ObjectMeta: v.cm.ObjectMeta, Data: maps.Clone(v.cm.Data), BinaryData: maps.Clone(v.cm.BinaryData)}
	if cm.BinaryData == nil {
		cm.BinaryData = map[string][]byte{}
	}
	for name := range v.wrong {
		delete(cm.Data, name)
		cm.BinaryData[name] = nil
	}
	return cm
}

// put enters a text. What is not UTF-8 is binaryData, as in a ConfigMap.
func (v *view) put(name string, text []byte) {
	if utf8.Valid(text) {
		v.cm.Data[name] = string(text)
		return
	}
	v.cm.BinaryData[name] = text
}

// overridesOf is the admin's text, nil if there is none.
func overridesOf(cm *corev1.ConfigMap) []byte {
	if cm == nil {
		return nil
	}
	if text, ok := cm.Data[toolset.KeyOverrides]; ok {
		return []byte(text)
	}
	return cm.BinaryData[toolset.KeyOverrides]
}

// scan reads the directory that is open. again says that something is being written, and to be looked at again soon.
func (o *Output) scan(uid types.UID) (v *view, again bool, err error) {
	v = &view{wrong: map[string]string{}, cm: &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: o.dir, UID: uid}, Data: map[string]string{}, BinaryData: map[string][]byte{},
	}}
	names, err := o.names()
	if err != nil {
		return nil, false, err
	}
	again = o.scanOverrides(v)
	left := maxRead - len(overridesOf(v.cm))
	for _, name := range names {
		if isTemp(name) {
			v.temps = append(v.temps, name)
			continue
		}
		text, wrong, err := o.scanKey(name, left)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil { // it will be replaced, which needs no reading
			wrong = "it cannot be read"
		}
		if wrong != "" {
			v.wrong[name] = wrong
		}
		if text != nil {
			left -= len(text)
			v.put(name, text)
		}
	}
	return v, again, nil
}

// names are those of ours in the directory, what must be read first.
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
			if isTemp(name) || toolset.OwnedKey(name) && len(validation.IsConfigMapKey(name)) == 0 {
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

// scanKey reads a generated key. The text is nil if there is none that could be read.
func (o *Output) scanKey(name string, limit int) (text []byte, wrong string, err error) {
	info, err := o.root.Lstat(name)
	switch {
	case err != nil:
		return nil, "", err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, "a symbolic link", nil
	case info.IsDir():
		return nil, "a directory", nil
	case !info.Mode().IsRegular():
		return nil, "no regular file", nil
	case info.Size() > int64(limit):
		return nil, "too large", nil
	}
	if info.Mode().Perm() != o.perm {
		wrong = "a file with other permissions"
	}
	f, err := o.root.OpenFile(name, os.O_RDONLY|readFlags, 0)
	if err != nil {
		return nil, "", err
	}
	text, err = read(f, limit)
	return text, wrong, err
}

var (
	errTooMuch    = explained{text: "it is larger than 1 MiB; shorten it"}
	errNotRegular = explained{text: "it is no regular file; put one there"}
)

// read reads a file to its end, and closes it. The text is not nil unless there is an error.
func read(f *os.File, limit int) ([]byte, error) {
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > limit:
		return nil, errTooMuch
	}
	return text, nil
}

// scanOverrides reads the admin's file, which may be a symbolic link to wherever he keeps it. What he is just writing is not
// read, and what cannot be read is not what he has taken away: what was read last stays.
func (o *Output) scanOverrides(v *view) (again bool) {
	before := o.view.Load()
	last := overridesOf(before.cm)
	if before.cm == nil {
		last = overridesOf(o.gone.Load())
	}
	keep := func() {
		if last != nil {
			v.put(toolset.KeyOverrides, last)
		}
	}
	info, err := os.Stat(filepath.Join(o.dir, toolset.KeyOverrides))
	if errors.Is(err, fs.ErrNotExist) {
		if _, linkErr := o.root.Lstat(toolset.KeyOverrides); linkErr != nil {
			if before.cm == nil || before.cm.UID != v.cm.UID || last == nil {
				return false
			}
			if o.missing.IsZero() { // an editor may be replacing it
				o.missing = time.Now()
			}
			if time.Since(o.missing) < o.opts.Settle {
				keep()
				return true
			}
			return false
		}
		err = explained{"it is a symbolic link to nothing; put a file there", err}
	}
	o.missing = time.Time{}
	if err == nil {
		if age := time.Since(info.ModTime()); last != nil && age >= 0 && age < o.opts.Settle {
			keep()
			return true
		}
		var text []byte
		if text, err = readOverrides(filepath.Join(o.dir, toolset.KeyOverrides), info); err == nil {
			v.put(toolset.KeyOverrides, text)
			return false
		}
	}
	v.unread = err
	keep()
	return false
}

func readOverrides(path string, info fs.FileInfo) ([]byte, error) {
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := os.OpenFile(path, os.O_RDONLY|readFlags, 0)
	if err != nil {
		return nil, err
	}
	return read(f, maxRead)
}
