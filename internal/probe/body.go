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

// body is the part of a response body that was read.
type body struct {
	text   []byte
	broken backend.Flaw
	ended  bool // nothing follows

	from   io.Reader
	zipped bool
}

// newBody returns a reader for the encoding of the response. An error means that the connection failed or timed out.
func newBody(res *http.Response) (*body, error) {
	// The compressed size is bounded too, because a long gzip stream may decompress to nothing.
	b := &body{from: io.LimitReader(res.Body, maxBody+1)}
	switch strings.ToLower(strings.Join(res.Header.Values("Content-Encoding"), ",")) {
	case "", "identity":
	case "gzip", "x-gzip": // not requested, but some backends send it
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

// read reads until the text has that many bytes or the body ends. A body that is longer than maxBody or cannot be
// decoded is marked broken. An error means that the connection failed or timed out.
func (b *body) read(until int) error {
	buf := bytes.NewBuffer(b.text)
	if len(b.text) > 0 { // a long body: growing by doubling would take three times the memory
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

// lost returns the error if the connection failed, and nil if only the data was bad.
func lost(err error) error {
	if f := classify(err, 0); f.cause == causeTimeout || f.cause == backend.CauseReset {
		return err
	}
	return nil
}
