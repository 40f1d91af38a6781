// Package yamlfile reads one YAML document into a Go value, strictly, and says what is wrong in words for the person who
// wrote it: all errors at once, each with file, line, column and key, and with what was expected in YAML's words.
//
//	f, err := yamlfile.Parse(name, data) // not YAML at all: the only error there can be
//	f.Decode(&out)                       // unknown and double keys, wrong types
//	if out.Tries < 1 {
//		f.At("health.tries", "expected 1 or more, found %d", out.Tries)
//	}
//	return f.Err()
package yamlfile

import (
	"cmp"
	"fmt"
	"slices"

	yaml "go.yaml.in/yaml/v3"
)

// Limits on what is read: a file that a person wrote stays far below them.
const (
	maxBytes  = 1 << 20
	maxDepth  = 64
	maxShown  = 100  // errors
	maxErrors = 1000 // that are kept, to show the first of them
)

const tooDeep = "nested too deep, or holds itself"

// File is one YAML document with the positions of its keys.
type File struct {
	name string
	root *yaml.Node // nil for a file that is not there: the defaults
	// origin holds the nodes that Set put in, and the flag they came from.
	origin map[*yaml.Node]string
	places map[string]place
	// hidden holds what is at or below a secret, and names what else than secrets may be a key there.
	hidden map[string]hidden
	names  names
	errs   Errors
	more   int // errors beyond maxErrors
	// broken are the paths that did not decode; nothing more is said about them.
	broken []string
}

type place struct {
	file         string
	line, column int
}

func newFile(name string, root *yaml.Node) *File {
	return &File{
		name: name, root: root, origin: map[*yaml.Node]string{}, places: map[string]place{}, hidden: map[string]hidden{},
	}
}

// Empty is a document without keys, to lay flags over where there is no file. Errors about what is not given name it.
func Empty(name string) *File {
	return newFile(name, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
}

// Decode reads data into out, a pointer, and returns what is wrong as Errors. Keys that are not given leave out as it was.
// What decodes is set even where other keys do not.
func Decode(name string, data []byte, out any) error {
	f, err := Parse(name, data)
	if err != nil {
		return err
	}
	f.Decode(out)
	return f.Err()
}

// Fresh is the same document, decoded, with no error reported yet. It shares the places that f knows and can be used beside f.
func (f *File) Fresh() *File {
	return &File{name: f.name, origin: f.origin, places: f.places, hidden: f.hidden, names: f.names}
}

// At reports that the value at path (see Key and Index) is wrong. Where the path is not in the file the nearest key above it
// gives the position. What did not decode, or stands below such a key, is not reported again.
func (f *File) At(path, format string, args ...any) {
	if f.full() {
		f.more++
		return
	}
	for _, b := range f.broken {
		if covers(b, path) {
			return
		}
	}
	f.add(f.place(path), f.show(path), fmt.Sprintf(format, args...))
}

// Keys are those of the document itself, before Decode; none where it is no mapping.
func (f *File) Keys() []string {
	if f.root.Kind != yaml.MappingNode {
		return nil
	}
	var keys []string
	for i := 0; i+1 < len(f.root.Content); i += 2 {
		keys = append(keys, f.root.Content[i].Value)
	}
	return keys
}

// Has says that the file, or a flag, gives a value at path.
func (f *File) Has(path string) bool {
	_, ok := f.places[path]
	return ok
}

// Line is the line of the value at path, or of the nearest key above it; 0 where no line is known.
func (f *File) Line(path string) int { return f.place(path).line }

// Err is all that was reported, by position, as Errors; nil if nothing was.
func (f *File) Err() error {
	if len(f.errs) == 0 {
		return nil
	}
	errs := slices.Clone(f.errs)
	slices.SortStableFunc(errs, func(a, b Error) int {
		// Flags after the file that they are laid over, in the order they were given.
		if c := cmp.Compare(f.flag(a), f.flag(b)); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if more := len(errs) + f.more - maxShown; more > 0 {
		errs = append(errs[:maxShown:maxShown], Error{File: f.name, Message: fmt.Sprintf("and %d errors more", more)})
	}
	return errs
}

func (f *File) flag(e Error) int {
	if e.File == f.name {
		return 0
	}
	return 1
}

func (f *File) place(path string) place {
	for {
		if p, ok := f.places[path]; ok {
			return p
		}
		if path == "" {
			return place{file: f.name}
		}
		path = parent(path)
	}
}

func (f *File) full() bool { return len(f.errs) == maxErrors }

// add reports an error at a path as it is shown. It says whether there was room for it.
func (f *File) add(p place, path, message string) bool {
	if f.full() {
		f.more++
		return false
	}
	f.errs = append(f.errs, Error{File: p.file, Line: p.line, Column: p.column, Path: path, Message: message})
	return true
}
