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

// zipped compresses the responses of next for clients that accept gzip. It decides by the size of the first write,
// because the API writes a body in one piece. A response is sent when all of it is compressed, so that a client that
// does not read holds no compressor.
func zipped(next http.Handler) http.Handler {
	writers := make(chan *gzip.Writer, maxWriters)
	for range maxWriters {
		writers <- gzip.NewWriter(nil)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !acceptsGzip(r.Header.Values("Accept-Encoding")) {
			next.ServeHTTP(w, r)
			return
		}
		z := &zipWriter{ResponseWriter: w, writers: writers}
		next.ServeHTTP(z, r)
		z.close()
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

// zipWriter holds the status back until the size of the first write decides whether the body is compressed.
type zipWriter struct {
	http.ResponseWriter
	writers chan *gzip.Writer
	code    int          // the status held back; 0: none
	begun   bool         // the body has begun
	zip     bool         // it is compressed
	body    bytes.Buffer // until then
}

// Unwrap is for http.ResponseController.
func (z *zipWriter) Unwrap() http.ResponseWriter { return z.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (z *zipWriter) WriteHeader(code int) {
	switch {
	case z.begun || code < http.StatusOK: // 1xx come before the response
		z.ResponseWriter.WriteHeader(code)
	case z.code == 0:
		z.code = code
	}
}

// Write implements http.ResponseWriter.
func (z *zipWriter) Write(p []byte) (int, error) {
	if !z.begun {
		z.begun, z.zip = true, len(p) >= smallestZipped && z.Header().Get("Content-Encoding") == ""
		if !z.zip {
			z.status()
		}
	}
	if z.zip {
		return z.body.Write(p)
	}
	return z.ResponseWriter.Write(p)
}

// status sends the status that was held back.
func (z *zipWriter) status() {
	if z.code != 0 {
		z.ResponseWriter.WriteHeader(z.code)
	}
}

// close ends the response. It is not called if the handler panicked, because Handler answers then.
func (z *zipWriter) close() {
	if !z.begun {
		z.status()
	}
	if !z.zip {
		return
	}
	w := <-z.writers
	small := compress(w, z.body.Bytes())
	z.writers <- w
	z.body = bytes.Buffer{}
	z.Header().Set("Content-Encoding", "gzip")
	z.Header().Del("Content-Length")
	z.status()
	_, _ = z.ResponseWriter.Write(small) // an error means that the client is gone
}

// compress returns p compressed.
func compress(w *gzip.Writer, p []byte) []byte {
	var small bytes.Buffer
	w.Reset(&small)
	_, _ = w.Write(p) // a buffer takes everything
	_ = w.Close()
	w.Reset(nil)
	return small.Bytes()
}
