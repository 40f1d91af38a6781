package probe

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// body is an answer's, as far as it was read.
type body struct {
	text   []byte
	broken backend.Flaw
	ended  bool // there is no more of it

	from   io.Reader
	zipped bool
}

// newBody looks at the encoding. An error means that the connection failed or time ran out.
func newBody(res *http.Response) (*body, error) {
	// What arrives is bounded as well: a gzip stream may be long and hold nothing.
	b := &body{from: io.LimitReader(res.Body, maxBody+1)}
	switch strings.ToLower(strings.Join(res.Header.Values("Content-Encoding"), ",")) {
	case "", "identity":
	case "gzip", "x-gzip": // not asked for, but some send it all the same
		zip, err := gzip.NewReader(b.from)
		if err != nil {
			b.broken = backend.FlawGzip
			return b, lost(err)
		}
		b.from, b.zipped = zip, true
	default:
		b.broken = backend.FlawEncoding
	}
	return b, nil
}

// read on until that many bytes are there, or all. More than maxBody, or what cannot be decoded, makes it broken. An
// error means that the connection failed or time ran out.
func (b *body) read(until int) error {
	buf := bytes.NewBuffer(b.text)
	if len(b.text) > 0 { // it is a long one: growing by doubling would take three times as much
		buf = bytes.NewBuffer(make([]byte, 0, until+bytes.MinRead))
		_, _ = buf.Write(b.text)
	}
	_, err := io.CopyN(buf, b.from, int64(until-len(b.text)))
	b.text = buf.Bytes()
	if err == nil && len(b.text) <= maxBody {
		return nil
	}
	b.ended = true
	switch {
	case len(b.text) > maxBody:
		b.broken = backend.FlawLong
		return nil
	case errors.Is(err, io.EOF):
		return nil
	case b.zipped:
		b.broken = backend.FlawDamaged
		return lost(err)
	}
	switch classify(err, 0).cause {
	case causeTimeout, backend.CauseReset, backend.CauseClosed:
		return err
	}
	b.broken = backend.FlawFraming
	return nil
}

// lost passes on an error only if it is the connection's and not about the data that came over it.
func lost(err error) error {
	if f := classify(err, 0); f.cause == causeTimeout || f.cause == backend.CauseReset {
		return err
	}
	return nil
}
