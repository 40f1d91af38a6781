package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"path"
	"regexp"
	"runtime/debug"
	"strings"
	"time"
)

const headerRequestID = "X-Request-ID"

// trace holds the data of a request for the log and the metrics.
type trace struct {
	id       string
	endpoint string // the route's pattern, "" if no route matched
	user     string
	remote   string // the caller's address
	stream   bool
}

type traceKey struct{}

func traceOf(ctx context.Context) *trace {
	if t, ok := ctx.Value(traceKey{}).(*trace); ok {
		return t
	}
	return &trace{}
}

// Handler serves the API below /api/ and its description at /openapi.json. It passes every other path to rest; if rest
// is nil, they are 404. Every response gets a request id, is counted and logged. A panic ends only its request. An
// error in plain text, such as net/http's own errors, becomes a problem document.
func (a *API) Handler(rest http.Handler) http.Handler {
	if rest == nil {
		rest = http.NotFoundHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		t := &trace{id: requestID(r.Header.Get(headerRequestID)), remote: host(r.RemoteAddr)}
		r = r.WithContext(context.WithValue(r.Context(), traceKey{}, t))
		rec := &recorder{ResponseWriter: w}
		w.Header().Set(headerRequestID, t.id)
		defer a.ended(rec, r, t, begin)
		defer a.recovered(rec, r, t)
		if own(r.URL.Path) {
			a.serve(rec, r)
			rec.finish(r)
			return
		}
		defer func() { t.endpoint = endpoint(r.Pattern) }()
		deadline(rec, a.limits.write)
		rest.ServeHTTP(rec, r)
		rec.finish(r)
	})
}

// host returns an address without its port.
func host(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}

// endpoint returns a ServeMux pattern without its method.
func endpoint(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return pattern
}

// own reports whether a path belongs to the API.
func own(p string) bool { return p == "/openapi.json" || p == "/api" || strings.HasPrefix(p, "/api/") }

// serve answers the paths of the API.
func (a *API) serve(w *recorder, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	deadline(w, a.limits.discover+a.limits.write)
	// net/http would redirect a path that is not clean; it is 404 instead.
	if escaped := r.URL.EscapedPath(); path.Clean(escaped) != strings.TrimSuffix(escaped, "/") {
		notFound(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// deadline sets the time by which the client must have read the response, else it loses its connection. The server
// itself has no write timeout, because of streams.
func deadline(w http.ResponseWriter, in time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(in)) // a writer without deadlines needs none
}

const noSuchPath = "this path does not exist; /openapi.json lists the paths of the API"

func notFound(w http.ResponseWriter, r *http.Request) {
	send(w, r, problem(http.StatusNotFound, noSuchPath))
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// requestID returns the given id if it is short and has only safe characters, else a new one.
func requestID(given string) string {
	if plainID.MatchString(given) {
		return given
	}
	return rand.Text()
}

// recovered ends a request whose handler panicked. If part of the response was already sent, it cuts the connection.
func (a *API) recovered(w *recorder, r *http.Request, t *trace) {
	cause := recover()
	if cause == nil {
		return
	}
	a.o.Log.Error("request handler panicked", "request_id", t.id, "endpoint", t.endpoint,
		"panic", cause, "stack", string(debug.Stack()))
	if w.code != 0 {
		w.code = http.StatusInternalServerError
		panic(http.ErrAbortHandler) //nolint:forbidigo // how net/http is told to cut a connection
	}
	send(w, r, problem(http.StatusInternalServerError, internalError))
}

// ended counts and logs a request after its response.
func (a *API) ended(w *recorder, r *http.Request, t *trace, begin time.Time) {
	took, code := time.Since(begin), w.status()
	if a.o.Metrics != nil {
		observed := took
		if t.stream {
			observed = -1 // a stream lasts as long as its client reads it
		}
		a.o.Metrics.Request(t.endpoint, code, observed)
	}
	level := slog.LevelDebug
	if code >= http.StatusInternalServerError && code != http.StatusServiceUnavailable { // a 503 is logged at its cause
		level = slog.LevelWarn
	}
	// The query is not logged, because it may hold private data.
	a.o.Log.LogAttrs(context.WithoutCancel(r.Context()), level, "request answered",
		slog.String("request_id", t.id), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.String("endpoint", t.endpoint), slog.Int("code", code), slog.Int64("bytes", w.bytes),
		slog.Duration("took", took), slog.String("user", t.user), slog.String("remote", r.RemoteAddr))
}

// recorder records the status and size of a response, and turns an error in plain text into a problem document.
type recorder struct {
	http.ResponseWriter
	code  int // 0: nothing was sent
	bytes int64
	plain *strings.Builder // the text of an error, for finish
}

func (w *recorder) status() int { return cmp.Or(w.code, http.StatusOK) } // net/http sends 200 for an empty response

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(code int) {
	if w.code == 0 && code >= http.StatusOK { // 1xx come before the response
		w.code = code
		if code >= http.StatusBadRequest && strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			w.plain = &strings.Builder{}
			return
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.code = w.status()
	if w.plain != nil {
		return w.plain.Write(p)
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// finish sends the problem document for an error in plain text.
func (w *recorder) finish(r *http.Request) {
	if w.plain == nil {
		return
	}
	detail := cmp.Or(strings.TrimSpace(w.plain.String()), http.StatusText(w.code))
	if w.code == http.StatusNotFound && own(r.URL.Path) {
		detail = noSuchPath
	}
	w.plain = nil
	send(w, r, problem(w.code, "%s", detail))
}
