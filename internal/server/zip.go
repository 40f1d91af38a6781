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

// maxWriters is the number of responses that are compressed at a time. Each takes most of a megabyte meanwhile.
const maxWriters = 4

// zipped compresses the responses of next for clients that accept gzip. It sends a response when all of it is
// compressed, so that a client that does not read holds no compressor.
func zipped(next http.Handler) http.Handler {
	writers := make(chan *gzip.Writer, maxWriters)
	for range maxWriters {
		writers <- gzip.NewWriter(nil)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		whole := &kept{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(whole, r)
		body := whole.body.Bytes()
		if len(body) >= smallestZipped && w.Header().Get("Content-Encoding") == "" &&
			acceptsGzip(r.Header.Values("Accept-Encoding")) {
			writer := <-writers
			body = compress(writer, body)
			writers <- writer
			whole.body = bytes.Buffer{}
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Del("Content-Length")
		}
		w.WriteHeader(whole.code)
		_, _ = w.Write(body) // an error means that the client is gone
	})
}

// acceptsGzip reports whether the values of Accept-Encoding accept gzip.
func acceptsGzip(values []string) bool {
	for _, value := range values {
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

// kept keeps a response back. A handler that panics leaves none, because Handler answers then.
type kept struct {
	http.ResponseWriter
	code int
	body bytes.Buffer
}

// Unwrap is for http.ResponseController.
func (k *kept) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (k *kept) WriteHeader(code int) { k.code = code }

// Write implements http.ResponseWriter.
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }

// compress returns p compressed.
func compress(w *gzip.Writer, p []byte) []byte {
	var small bytes.Buffer
	w.Reset(&small)
	_, _ = w.Write(p) // a buffer takes everything
	_ = w.Close()
	w.Reset(nil)
	return small.Bytes()
}
