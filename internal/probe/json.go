package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// value is what stands at a path of a JSON answer: a scalar's text, or the kind of what else is there.
type value struct {
	kind  byte   // one of: s string, n number, b boolean, 0 null, [ array, { object
	text  string // of a scalar
	empty bool
}

// String describes it for people.
func (v value) String() string {
	switch v.kind {
	case '[':
		return "an array"
	case '{':
		return "an object"
	case '0':
		return "null"
	}
	return quote(v.text)
}

// meets says whether it is one of the values, in the catalog's notation.
func (v value) meets(values []string) bool {
	switch v.kind {
	case '[', '{':
		return slices.Contains(values, string(v.kind)+string(v.kind+2)) || slices.Contains(values, "*") && !v.empty
	case '0':
		return slices.Contains(values, "null")
	}
	return accepts(values, v.text)
}

// lookup reads the values at dotted paths, "." being the whole. It goes over the text token by token: an answer takes
// many times its size in memory once decoded, and many are read at once.
func lookup(body []byte, paths []string) (map[string]value, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	w := walker{dec: d, paths: paths, found: make(map[string]value, len(paths))}
	if err := w.value("", 0); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return w.found, nil
}

type walker struct {
	dec   *json.Decoder
	paths []string
	found map[string]value
}

const maxDepth = 200

func (w *walker) value(path string, depth int) error {
	if depth > maxDepth {
		return errors.New("nested too deep")
	}
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	v := value{kind: '0'}
	switch token := token.(type) {
	case string:
		v = value{kind: 's', text: token}
	case json.Number:
		v = value{kind: 'n', text: token.String()}
	case bool:
		v = value{kind: 'b', text: fmt.Sprint(token)}
	case json.Delim:
		v = value{kind: byte(token), empty: true}
		for w.dec.More() {
			v.empty = false
			inner := "\x00" // no path leads into an array
			if token == '{' {
				key, err := w.dec.Token()
				if err != nil {
					return err
				}
				inner = w.join(path, key)
			}
			if err := w.value(inner, depth+1); err != nil {
				return err
			}
		}
		if _, err := w.dec.Token(); err != nil { // the closing one
			return err
		}
	}
	for _, p := range w.paths {
		if p == path || p == "." && path == "" {
			w.found[p] = v
		}
	}
	return nil
}

// join says where a key leads, if any of the paths goes there.
func (w *walker) join(path string, key json.Token) string {
	name, ok := key.(string)
	if !ok || name == "" || path == "\x00" {
		return "\x00"
	}
	if path != "" {
		name = path + "." + name
	}
	for _, p := range w.paths {
		if p == name || strings.HasPrefix(p, name+".") {
			return name
		}
	}
	return "\x00"
}
