package server

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// smallestZipped is the smallest body, in bytes, that is compressed. A smaller one fits into one packet anyway.
const smallestZipped = 1024

// maxWriters is the number of bodies that are compressed at a time. Each takes most of a megabyte meanwhile.
const maxWriters = 4

// zipper holds the compressors that nobody uses now.
type zipper chan *gzip.Writer

func newZipper() zipper {
	z := make(zipper, maxWriters)
	for range maxWriters {
		z <- gzip.NewWriter(nil)
	}
	return z
}

// compress returns p compressed. It returns when all of it is compressed, so that a client that does not read holds no
// compressor.
func (z zipper) compress(p []byte) []byte {
	w := <-z
	var small bytes.Buffer
	w.Reset(&small)
	_, _ = w.Write(p) // a buffer takes everything
	_ = w.Close()
	w.Reset(nil)
	z <- w
	return small.Bytes()
}

// acceptsGzip reports whether a request accepts gzip.
func acceptsGzip(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(value, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
				return err != nil || q > 0 // without a weight it is accepted
			}
		}
	}
	return false
}
