package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// accepts says whether the header Accept, of any number of lines, takes a media type; a more exact range counts more than
// one with a star. No header, or an empty one, takes everything.
func accepts(header []string, media string) bool {
	if strings.TrimSpace(strings.Join(header, "")) == "" {
		return true
	}
	kind, _, _ := strings.Cut(media, "/")
	q := quality(header, func(value string) int {
		switch value {
		case media:
			return 3
		case kind + "/*":
			return 2
		case "*/*", "*":
			return 1
		}
		return 0
	})
	return q > 0
}

// acceptsGzip says whether the header Accept-Encoding asks for gzip.
func acceptsGzip(header []string) bool {
	return quality(header, func(value string) int {
		switch value {
		case "gzip", "x-gzip":
			return 2
		case "*":
			return 1
		}
		return 0
	}) > 0
}

// quality is the q of the element that fits best, the higher the number that fit gives it; 0 where none fits. What cannot be
// read does not fit.
func quality(header []string, fit func(value string) int) (best float64) {
	most := 0
	for _, line := range header {
		for element := range strings.SplitSeq(line, ",") {
			value, parameters, _ := strings.Cut(element, ";")
			how := fit(strings.ToLower(strings.TrimSpace(value)))
			if how == 0 || how < most {
				continue
			}
			q, ok := readQuality(parameters)
			if !ok {
				continue
			}
			if how > most || q > best {
				most, best = how, q
			}
		}
	}
	return best
}

func readQuality(parameters string) (float64, bool) {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			return q, err == nil && q >= 0 && q <= 1
		}
	}
	return 1, true
}

// minGzip is where it begins to pay: less fits into one packet.
const minGzip = 1400

// buffers are used again: an answer of a hundred Services has 60 KiB.
type buffers struct{ plain, gzipped sync.Pool }

// keep is how large a buffer may be to be used again.
const keep = 1 << 20

func (b *buffers) get() *bytes.Buffer {
	if buffer, ok := b.plain.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

func (b *buffers) put(buffer *bytes.Buffer) {
	if buffer.Cap() <= keep {
		buffer.Reset()
		b.plain.Put(buffer)
	}
}

// compress writes body into out. It takes the fastest level: JSON becomes an eighth of what it was, with the best one a tenth.
func (b *buffers) compress(out *bytes.Buffer, body []byte) error {
	gz, ok := b.gzipped.Get().(*gzip.Writer)
	if !ok {
		var err error
		if gz, err = gzip.NewWriterLevel(out, gzip.BestSpeed); err != nil {
			return fmt.Errorf("compress an answer: %w", err)
		}
	}
	defer b.gzipped.Put(gz)
	gz.Reset(out)
	if _, err := gz.Write(body); err != nil {
		return fmt.Errorf("compress an answer: %w", err)
	}
	return gz.Close()
}

// respond sends a body that is whole, compressed where that is wanted. The header Content-Type is set by then. Who does not
// read it in time is cut off.
func (a *API) respond(w http.ResponseWriter, r *http.Request, code int, body []byte) {
	b, h := &a.buffers, w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(body) >= minGzip && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		out := b.get()
		defer b.put(out)
		if err := b.compress(out, body); err == nil { // else as it is
			h.Set("Content-Encoding", "gzip")
			body = out.Bytes()
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a.deadline(w, r, a.limits.write)
	w.WriteHeader(code)
	_, _ = w.Write(body) // whoever asked is gone
}
