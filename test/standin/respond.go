package standin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

func orElse(h, def http.HandlerFunc) http.HandlerFunc {
	if h != nil {
		return h
	}
	return def
}

func respond(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		// The caller may have gone; there is nothing to do about it.
		_, _ = io.WriteString(w, body) //nolint:gosec // a path that is told back is not shown in any browser
	}
}

func plain(status int, body string) http.HandlerFunc {
	return respond(status, "text/plain; charset=utf-8", body)
}

func text(body string) http.HandlerFunc { return plain(http.StatusOK, body) }

func page(body string) http.HandlerFunc {
	return respond(http.StatusOK, "text/html; charset=utf-8", body)
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

// lead sends callers on without a page that says so.
func lead(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

// ownMetrics are what every one of these programs tells of itself.
var ownMetrics = text("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\n")

// obj and arr keep the bodies below readable.
type (
	obj = map[string]any
	arr = []any
)

func jsonStatus(status int, v any) http.HandlerFunc {
	body, err := json.Marshal(v)
	if err != nil { // not with the literals of this package
		return plain(http.StatusInternalServerError, fmt.Sprintf("encoding the answer: %v\n", err))
	}
	return respond(status, "application/json", string(body))
}

func jsonOK(v any) http.HandlerFunc { return jsonStatus(http.StatusOK, v) }
