package server

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// smallestZipped is the smallest body, in bytes, that is compressed. A smaller one fits into one packet anyway.
const smallestZipped = 1024

// zipped compresses the responses of next for clients that accept gzip. It decides by the size of the first write,
// because the API writes a body in one piece.
func zipped(next http.Handler) http.Handler {
	writers := &sync.Pool{New: func() any { return gzip.NewWriter(nil) }} // each is most of a megabyte
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
	writers *sync.Pool
	code    int          // the status held back; 0: none
	begun   bool         // the body has begun
	gzip    *gzip.Writer // nil: not compressed
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
		z.begin(len(p))
	}
	if z.gzip != nil {
		return z.gzip.Write(p)
	}
	return z.ResponseWriter.Write(p)
}

func (z *zipWriter) begin(size int) {
	z.begun = true
	if h := z.Header(); size >= smallestZipped && h.Get("Content-Encoding") == "" {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		z.gzip, _ = z.writers.Get().(*gzip.Writer)
		z.gzip.Reset(z.ResponseWriter)
	}
	if z.code != 0 {
		z.ResponseWriter.WriteHeader(z.code)
	}
}

// close ends the response. It is not called if the handler panicked, because Handler answers then.
func (z *zipWriter) close() {
	if !z.begun {
		z.begin(0)
	}
	if z.gzip != nil {
		_ = z.gzip.Close() // an error means that the client is gone
		z.gzip.Reset(nil)
		z.writers.Put(z.gzip)
	}
}
