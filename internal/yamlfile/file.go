// Package yamlfile reads a YAML document into a Go value, strictly, and reports all errors at once, each with file,
// line, column, key and what was expected. Values that may be secrets are not shown.
//
//	f, err := yamlfile.Parse(name, data) // fails only if data is not YAML
//	f.Decode(&out)                       // unknown and duplicate keys, wrong types
//	if out.Tries < 1 {
//		f.At("health.tries", "expected 1 or more, found %d", out.Tries)
//	}
//	return f.Err()
package yamlfile

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	yaml "go.yaml.in/yaml/v3"
)

const maxShown = 100 // errors

// File is one YAML document, with the flags that were set in it.
type File struct {
	name   string
	root   *value
	known  func(key string) bool // see Names
	python bool                  // see Python
	errs   Errors
	more   int // errors beyond maxShown
}

// Parse reads exactly one YAML document. Its error is an Errors with one fault: the text is not YAML, not one document,
// or too large. The error does not quote the text.
func Parse(name string, data []byte) (*File, error) {
	root := &value{}
	err := root.parse(data)
	if err == nil && isNull(root.node) {
		err = &Error{Message: "empty; expected one YAML document"}
	}
	if err != nil {
		err.File = name
		return nil, Errors{*err}
	}
	return &File{name: name, root: root}, nil
}

// ReadFile reads a file, but at most one byte more than Parse accepts: Parse then reports that it is too large. The
// error does not name the file.
func ReadFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, Bare(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	return data, Bare(err)
}

// Empty returns a document without keys, for flags without a file. Errors about missing keys call it name.
func Empty(name string) *File {
	return &File{name: name, root: &value{node: &yaml.Node{Kind: yaml.MappingNode}}}
}

// Decode reads data into out, a pointer. Keys that data does not have keep their values in out. The error is an Errors.
func Decode(name string, data []byte, out any) error {
	f, err := Parse(name, data)
	if err != nil {
		return err
	}
	f.Decode(out)
	return f.Err()
}

// Fresh returns the same decoded document without the errors.
func (f *File) Fresh() *File { return &File{name: f.name, root: f.root} }

// Names says which keys at and below a secret are known names, which errors may show. Call it before Decode.
func (f *File) Names(known func(key string) bool) { f.known = known }

// Keys returns the document's own top-level keys, without merged ones; none if it is not a mapping.
func (f *File) Keys() (keys []string) {
	root := f.root.node
	for i := 0; i < len(root.Content) && root.Kind == yaml.MappingNode; i += 2 {
		keys = append(keys, root.Content[i].Value)
	}
	return keys
}

// Has reports whether the file or a flag has a value at path (see Key and Index).
func (f *File) Has(path string) bool {
	_, rest := f.root.find(path)
	return rest == ""
}

// Check reports found, the value or the key at path, unless it is ok. It shows no text at or below a secret.
func (f *File) Check(path string, ok bool, expected, found string) {
	if ok {
		return
	}
	shown := Quote(found)
	if v, _ := f.root.find(path); v.secret {
		shown = notShown
	}
	f.At(path, "expected %s, found %s", expected, shown)
}

// At reports a fault of the value at path. If the path is not in the file, the position is that of the nearest key
// above it. At and below a value that did not decode, At reports nothing.
func (f *File) At(path, format string, args ...any) {
	v, _ := f.root.find(path)
	for up := v; up != nil; up = up.up {
		if up.broken {
			return
		}
	}
	if v.secret {
		path = v.path()
	}
	f.add(v, path, fmt.Sprintf(format, args...))
}

// fail reports a value that cannot be decoded.
func (f *File) fail(v *value, message string) {
	v.broken = true
	f.add(v, v.path(), message)
}

func (f *File) add(v *value, path, message string) {
	if f.full() {
		f.more++
		return
	}
	e := Error{File: v.flag(), Path: path, Message: message}
	if e.File == "" {
		e.File = f.name
		if v.at != nil {
			e.Line, e.Column = v.at.Line, v.at.Column
		}
	}
	f.errs = append(f.errs, e)
}

func (f *File) full() bool { return len(f.errs) == maxShown }

// Err returns all reported faults as an Errors: first those of the file by position, then those of flags in their
// order. It is nil if there are none.
func (f *File) Err() error {
	if len(f.errs) == 0 {
		return nil
	}
	line := func(e Error) int {
		if e.File != f.name {
			return math.MaxInt
		}
		return e.Line
	}
	errs := slices.Clone(f.errs)
	slices.SortStableFunc(errs, func(a, b Error) int {
		return cmp.Or(cmp.Compare(line(a), line(b)), cmp.Compare(a.Column, b.Column))
	})
	if f.more > 0 {
		errs = append(errs, Error{File: f.name, Message: fmt.Sprintf("and %d errors more", f.more)})
	}
	return errs
}
