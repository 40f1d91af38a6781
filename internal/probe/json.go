package probe

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// value is what stands at a path of a JSON answer: a scalar's text, or the kind of what else is there.
type value struct {
	kind  jsontext.Kind // one of: " string, 0 number, t true, f false, n null, [ array, { object
	text  string        // of a scalar
	empty bool
}

// String is how backend.Lack has it.
func (v value) String() string {
	switch v.kind {
	case '[':
		return "[]"
	case '{':
		return "{}"
	case 'n':
		return "null"
	}
	return `"` + clean(excerpt([]byte(v.text))) + `"`
}

// meets says whether it is one of the values, in the catalog's notation.
func (v value) meets(values []string) bool {
	switch v.kind {
	case '[', '{':
		return slices.Contains(values, string(v.kind)+string(v.kind+2)) || slices.Contains(values, "*") && !v.empty
	case 'n':
		return slices.Contains(values, "null")
	}
	return accepts(values, v.text)
}

// lookup reads the values at dotted paths, "." being the whole. Of equal keys the last counts. Whatever no path leads
// to is skipped without being built up: an answer takes many times its size in memory once decoded, and many are read
// at once.
func lookup(body []byte, paths []string) (map[string]value, error) {
	w, err := walk(body, paths, nil)
	return w.found, err
}

func walk(body []byte, paths []string, each func(string)) (walker, error) {
	lax := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), lax...)
	w := walker{dec: dec, paths: paths, found: make(map[string]value, len(paths)), each: each}
	if err := w.value(""); err != nil {
		return walker{}, err
	}
	if _, err := w.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return walker{}, errors.New("more than one JSON value")
	}
	return w, nil
}

type walker struct {
	dec   *jsontext.Decoder
	paths []string
	found map[string]value
	each  func(text string) // is given the texts at paths through lists; nil where there are none
}

// value reads the one at that path, "" being the whole. It goes as deep as the paths do.
func (w *walker) value(path string) error {
	token, err := w.dec.ReadToken()
	if err != nil {
		return err
	}
	v := value{kind: token.Kind()}
	switch v.kind {
	case '[':
		v.empty = w.dec.PeekKind() == ']'
		read := w.dec.SkipValue
		if element := path + listStep; w.leadTo(element) {
			read = func() error { return w.value(element) }
		}
		for w.dec.PeekKind() != ']' {
			if err := read(); err != nil {
				return err
			}
		}
	case '{':
		v.empty = w.dec.PeekKind() == '}'
		for w.dec.PeekKind() != '}' {
			if err := w.member(path); err != nil {
				return err
			}
		}
	default:
		v.text = token.String()
	}
	if v.kind == '[' || v.kind == '{' {
		if _, err := w.dec.ReadToken(); err != nil { // the closing one
			return err
		}
	}
	for _, p := range w.paths {
		if p == path || p == "." && path == "" {
			w.found[p] = v
			if w.each != nil && v.kind == '"' {
				w.each(v.text)
			}
		}
	}
	return nil
}

// listStep is what follows in a path to go on in each element of a list.
const listStep = "[]"

// member reads a key of the object at that path, and what stands there.
func (w *walker) member(path string) error {
	key, err := w.dec.ReadToken()
	if err != nil {
		return err
	}
	name := strings.TrimPrefix(path+"."+key.String(), ".")
	if name == "" || !w.leadTo(name) {
		return w.dec.SkipValue()
	}
	maps.DeleteFunc(w.found, func(p string, _ value) bool { return leads(p, name) })
	return w.value(name)
}

// leadTo reports whether one of the paths leads to that name or goes on from there.
func (w *walker) leadTo(name string) bool {
	return slices.ContainsFunc(w.paths, func(p string) bool { return leads(p, name) })
}

func leads(path, name string) bool {
	rest, ok := strings.CutPrefix(path, name)
	return ok && (rest == "" || rest[0] == '.' || strings.HasPrefix(rest, listStep))
}
