package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxObject is the size in bytes of the largest single object, or YAML document, that is read. The API server stores
// objects of 1.5 MiB at most; a YAML document may be a whole List.
const maxObject = 32 << 20

var errTooLarge = fmt.Errorf("larger than %d MiB", maxObject>>20)

// meter counts the lines of what is read through it, and stops a single value from growing without bound.
type meter struct {
	r     io.Reader
	lines int
	left  int // bytes that may still be read until the next call of reset
}

// reset begins a new value. A nil meter measures nothing.
func (m *meter) reset() {
	if m != nil {
		m.left = maxObject
	}
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTooLarge
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	m.lines += bytes.Count(p[:n], []byte{'\n'})
	return n, err
}

// jsonStream reads one JSON object after the other, as in a List, as NDJSON or simply one behind another.
func (r *reader) jsonStream(in io.Reader) error {
	m := &meter{r: in}
	dec := jsontext.NewDecoder(m, jsonOptions)
	for n := 1; ; n++ {
		m.reset()
		if dec.PeekKind() == jsontext.KindInvalid {
			_, err := dec.ReadToken()
			if errors.Is(err, io.EOF) {
				return nil
			}
			return jsonError(err, dec, m)
		}
		if err := r.document(dec, m, place{document: n, item: -1}, header{}); err != nil {
			return jsonError(err, dec, m)
		}
	}
}

// jsonError says where in the file the JSON breaks off.
func jsonError(err error, dec *jsontext.Decoder, m *meter) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, errTooLarge):
		return fmt.Errorf("line %d: one object is %w", m.lines+1, errTooLarge)
	case !errors.As(err, &syntax):
		return err
	}
	rest := dec.UnreadBuffer()
	skip := min(max(syntax.ByteOffset-dec.InputOffset(), 0), int64(len(rest)))
	line := 1 + m.lines - bytes.Count(rest[skip:], []byte{'\n'})
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("line %d: the JSON ends in the middle of an object; was the output cut off?", line)
	}
	return fmt.Errorf("line %d: not valid JSON: %s", line, syntaxReason(syntax))
}

func syntaxReason(err *jsontext.SyntacticError) string {
	if err.Err == nil {
		return "syntax error"
	}
	return strings.TrimPrefix(err.Err.Error(), "jsontext: ")
}

// document reads one top-level JSON value. The items of a List are handed on one by one while they are read; of any other
// object the fields are gathered until its end. h is what is known of the object beforehand, m is nil where all of it is in
// memory.
func (r *reader) document(dec *jsontext.Decoder, m *meter, at place, h header) error {
	if k := dec.PeekKind(); k != '{' {
		if err := dec.SkipValue(); err != nil {
			return err
		}
		r.refuse(at, kindName(k)+", where a Kubernetes object belongs")
		return nil
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	list := false
	r.raw = append(r.raw[:0], '{')
	for dec.PeekKind() != '}' {
		token, err := dec.ReadValue()
		if err != nil {
			return err
		}
		key := string(token) // the decoder's buffer moves on
		switch {
		case key == `"items"` && dec.PeekKind() == '[':
			list = true
			if err := r.items(dec, m, at, h); err != nil {
				return err
			}
		case list:
			if err := dec.SkipValue(); err != nil {
				return err
			}
		default:
			value, err := dec.ReadValue()
			if err != nil {
				return err
			}
			h.set(key, value)
			if len(r.raw) > 1 {
				r.raw = append(r.raw, ',')
			}
			r.raw = append(append(append(r.raw, key...), ':'), value...)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if list {
		r.objects++
	} else {
		r.raw = append(r.raw, '}')
		r.object(r.raw, h, at)
	}
	return r.ctx.Err()
}

// items reads the items of a List, which begins at the decoder's next token.
func (r *reader) items(dec *jsontext.Decoder, m *meter, at place, list header) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	// An item without a kind of its own, as the API server sends them, has the List's.
	inherited := header{kind: strings.TrimSuffix(list.kind, "List"), apiVersion: list.apiVersion}
	for at.item = 0; dec.PeekKind() != ']'; at.item++ {
		m.reset()
		raw, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if k := raw.Kind(); k != '{' {
			r.refuse(at, kindName(k)+", where a Kubernetes object belongs")
			continue
		}
		h, err := r.peek(raw)
		if err != nil {
			return err
		}
		if h.kind == "" && inherited.kind != "" {
			h = inherited
		}
		r.object(raw, h, at)
	}
	_, err := dec.ReadToken()
	return err
}

// header is what tells one kind of object from another.
type header struct{ kind, apiVersion string }

// set takes a field of the object, its name and value as JSON.
func (h *header) set(key string, value jsontext.Value) {
	switch key {
	case `"kind"`:
		h.kind = unquote(value)
	case `"apiVersion"`:
		h.apiVersion = unquote(value)
	}
}

func (h *header) complete() bool { return h.kind != "" && h.apiVersion != "" }

// peek finds the header of an object. It stands at the beginning, unless a person wrote the object.
func (r *reader) peek(raw jsontext.Value) (header, error) {
	var h header
	if raw.Kind() != '{' {
		return h, nil
	}
	r.peeker.Reset(bytes.NewBuffer(raw), jsonOptions)
	if _, err := r.peeker.ReadToken(); err != nil {
		return h, err
	}
	for !h.complete() && r.peeker.PeekKind() == '"' {
		token, err := r.peeker.ReadValue()
		if err != nil {
			return h, err
		}
		key := string(token)
		value, err := r.peeker.ReadValue()
		if err != nil {
			return h, err
		}
		h.set(key, value)
	}
	return h, nil
}

// unquote is the string that value holds, "" for anything else.
func unquote(value jsontext.Value) string {
	switch string(value) {
	case `"Service"`:
		return kindService
	case `"EndpointSlice"`:
		return kindEndpointSlice
	case `"v1"`:
		return "v1"
	}
	if value.Kind() != '"' {
		return ""
	}
	b, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return ""
	}
	return string(b)
}
