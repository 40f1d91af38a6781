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

// value is a value in a JSON response.
type value struct {
	kind  jsontext.Kind // one of: " string, 0 number, t true, f false, n null, [ array, { object
	text  string        // of a scalar
	empty bool          // an array or an object without members
}

// String returns the value in the notation of backend.Lack.
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

// meets reports whether v is one of the values, which are in the catalog's notation.
func (v value) meets(values []string) bool {
	switch v.kind {
	case '[', '{':
		return slices.Contains(values, v.String()) || slices.Contains(values, "*") && !v.empty
	case 'n':
		return slices.Contains(values, "null")
	}
	return accepts(values, v.text)
}

// lookup returns the values at dotted paths; "." is the whole document. If a key occurs twice, the last one counts.
// Everything else is skipped and not decoded, because a decoded response takes many times its size in memory and many
// are read at once.
func lookup(body []byte, paths []string) (map[string]value, error) { return walk(body, paths, nil) }

// walk is like lookup and also calls each, unless it is nil, with every string at the paths. These paths may lead
// through arrays.
func walk(body []byte, paths []string, each func(text string)) (map[string]value, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	w := walker{dec: dec, paths: paths, found: make(map[string]value, len(paths)), each: each}
	if err := w.value(""); err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return w.found, nil
}

type walker struct {
	dec   *jsontext.Decoder
	paths []string
	found map[string]value
	each  func(text string)
}

// value reads the value at a path; "" is the whole document. It decodes only what the paths lead to.
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
		if _, err := w.dec.ReadToken(); err != nil { // the closing bracket
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

// listStep in a path means each element of an array.
const listStep = "[]"

// member reads a key of the object at a path, and its value.
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

// leadTo reports whether one of the paths leads to the name or through it.
func (w *walker) leadTo(name string) bool {
	return slices.ContainsFunc(w.paths, func(p string) bool { return leads(p, name) })
}

func leads(path, name string) bool {
	rest, ok := strings.CutPrefix(path, name)
	return ok && (rest == "" || rest[0] == '.' || strings.HasPrefix(rest, listStep))
}
