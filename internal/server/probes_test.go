package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ask asks a probe endpoint and decodes what it says.
func askHealth(t *testing.T, p *Probes, path string) (int, health) {
	t.Helper()
	mux := http.NewServeMux()
	p.Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	var h health
	if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil {
		t.Fatalf("GET %s: %v: %s", path, err, w.Body)
	}
	return w.Code, h
}

func TestAlive(t *testing.T) {
	t.Attr("req", "DTS-RUN-3")
	synctest.Test(t, func(t *testing.T) {
		p := NewProbes(90*time.Second, Condition{Name: "caches", Message: "waiting for the API server"})
		step := func(wait time.Duration, want int, status string) {
			t.Helper()
			time.Sleep(wait) //nolint:forbidigo // the clock of synctest
			for _, path := range []string{"/healthz", "/health"} {
				code, h := askHealth(t, p, path)
				if code != want || h.Status != status {
					t.Errorf("after %s: GET %s = %d %+v, want %d %s", h.Uptime, path, code, h, want, status)
				}
			}
		}
		step(0, 200, "ok") // before the first turn, and whatever readiness says
		step(90*time.Second, 200, "ok")
		step(time.Second, 503, "stuck")
		p.Beat()
		step(0, 200, "ok")
		step(90*time.Second, 200, "ok")
		step(time.Minute, 503, "stuck")
		if _, h := askHealth(t, p, "/healthz"); h.Message != "the last cycle of the loop was 2m30s ago; expected at most 1m30s" {
			t.Errorf("message %q", h.Message)
		}
		p.Stop() // a loop that has ended is no reason to be killed before the rest has
		step(time.Hour, 200, "ok")
	})
}

func TestReady(t *testing.T) {
	t.Attr("req", "DTS-RUN-3")
	var why error
	p := NewProbes(time.Minute,
		Condition{Name: "caches", Message: "waiting for the API server", Why: func() error { return why }},
		Condition{Name: "discovery", Message: "the first discovery has not run"})
	step := func(code int, status string, missing ...Condition) {
		t.Helper()
		for _, path := range []string{"/readyz", "/ready"} {
			gotCode, h := askHealth(t, p, path)
			if diff := cmp.Diff(missing, h.Missing); gotCode != code || h.Status != status || diff != "" {
				t.Errorf("GET %s = %d %s, want %d %s; missing (-want +got):\n%s", path, gotCode, h.Status, code, status, diff)
			}
		}
	}
	step(503, "not-ready",
		Condition{Name: "caches", Message: "waiting for the API server"},
		Condition{Name: "discovery", Message: "the first discovery has not run"})
	why = errors.New("namespace a is forbidden")
	step(503, "not-ready",
		Condition{Name: "caches", Message: "waiting for the API server: namespace a is forbidden"},
		Condition{Name: "discovery", Message: "the first discovery has not run"})
	p.Met("caches")
	step(503, "not-ready", Condition{Name: "discovery", Message: "the first discovery has not run"})
	p.Met("discovery")
	step(200, "ready")
	p.Stop()
	step(503, "stopping", Condition{Name: "running", Message: "the process is stopping"})
	select {
	case <-p.Stopping():
	default:
		t.Error("streams are not told")
	}
}

func TestHealthMethods(t *testing.T) {
	t.Attr("req", "DTS-RUN-3")
	mux := http.NewServeMux()
	NewProbes(time.Minute).Register(mux)
	server := serving(t, mux)
	for _, path := range []string{"/healthz", "/health", "/readyz", "/ready"} {
		for method, want := range map[string]int{
			http.MethodGet: 200, http.MethodHead: 200,
			http.MethodPost: 405, http.MethodPut: 405, http.MethodDelete: 405, http.MethodOptions: 405, "FOO": 405,
		} {
			got := server.ask(t, method, path, nil)
			if got.code != want || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s = %d, Cache-Control %q; want %d, no-store", method, path, got.code, got.header.Get("Cache-Control"), want)
			}
			if allow := got.header.Get("Allow"); want == 405 && allow != "GET, HEAD" {
				t.Errorf("%s %s: Allow %q", method, path, allow)
			}
			if method == http.MethodHead && (got.body != "" || got.header.Get("Content-Type") != "application/json") {
				t.Errorf("HEAD %s: %s %q", path, got.header.Get("Content-Type"), got.body)
			}
			if method != http.MethodHead && !json.Valid([]byte(got.body)) {
				t.Errorf("%s %s: not JSON: %s", method, path, got.body)
			}
		}
	}
}
