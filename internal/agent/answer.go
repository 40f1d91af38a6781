package agent

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The bounds of an answer, in bytes. HolmesGPT quotes what backends answer, at any length.
const (
	maxAnswer  = 32 << 20  // is read
	maxPart    = 256 << 10 // is held at once: a toolset, or a field beside the toolsets
	maxRefusal = 64 << 10  // is read of a response with another status than 200
)

// errTooLong is the error for an answer that may be HolmesGPT's, but is over the bounds.
var errTooLong = fmt.Errorf("%w: over %d MiB, or a part of it over %d KiB", errUnreadable, maxAnswer>>20, maxPart>>10)

// answer decodes JSON in parts, so that an answer of any length takes little memory.
type answer struct {
	decoder *json.Decoder
	from    io.Reader
	failed  error // of from; io.EOF at the end
	read    int   // bytes
	room    int   // bytes that may still be read for the current part
	text    shortener
}

func newAnswer(from io.Reader) *answer {
	a := &answer{from: from, room: maxPart}
	a.decoder = json.NewDecoder(a)
	return a
}

// Read implements io.Reader for the decoder.
func (a *answer) Read(p []byte) (int, error) {
	if a.room <= 0 || a.read > maxAnswer {
		a.failed = errTooLong
		return 0, a.failed
	}
	n, err := a.from.Read(p[:min(len(p), a.room)])
	a.read += n
	a.failed = err
	n = a.text.shorten(p[:n])
	a.room -= n
	return n, err
}

// more reports whether the object or array goes on.
func (a *answer) more() bool {
	a.room = maxPart
	return a.decoder.More()
}

// part decodes the next value.
func (a *answer) part(v any) error {
	a.room = maxPart
	return a.decoder.Decode(v)
}

// object reads an object. field gets the name of each field and reads its value.
func (a *answer) object(field func(name string) error) error {
	return a.values('{', func() error {
		token, err := a.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		return field(name)
	})
}

// values reads an object or an array, each member by a call of value.
func (a *answer) values(open json.Delim, value func() error) error {
	if start, err := a.decoder.Token(); err != nil || start != open {
		return cmp.Or(err, fmt.Errorf("no %s", open))
	}
	for a.more() {
		if err := value(); err != nil {
			return err
		}
	}
	_, err := a.decoder.Token()
	return err
}

// end returns an error if anything follows.
func (a *answer) end() error {
	a.room = maxPart
	if _, err := a.decoder.Token(); !errors.Is(err, io.EOF) {
		return cmp.Or(err, errors.New("more than one value"))
	}
	return nil
}

// ignored is a value that is not needed.
type ignored struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*ignored) UnmarshalJSON([]byte) error { return nil }
