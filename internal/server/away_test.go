package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// While the API server does not answer who may ask, or answers nonsense, nobody new is let in, in words of a problem document;
// who is remembered, and what needs no token, is answered at once.
func TestAPIServerThatIsAway(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	t.Attr("req", "DTS-API-3")
	var answer atomic.Pointer[http.HandlerFunc]
	set := func(h http.HandlerFunc) { answer.Store(&h) }
	well := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/tokenreviews") {
			_, _ = io.WriteString(w, `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":true,"user":{"username":"jane"}}}`)
		} else {
			_, _ = io.WriteString(w, `{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`)
		}
	}
	set(well)
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*answer.Load())(w, r) }))
	defer cluster.Close()
	defer cluster.CloseClientConnections()
	who, err := ReviewerFor(&rest.Config{Host: cluster.URL}, ReviewOptions{Namespace: "x"})
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, func(o *Options) { o.Authorizer = who })
	known := func() {
		t.Helper()
		begin := time.Now()
		if a := f.get(t, "/api/v1/status", "Authorization", "Bearer known"); a.code != http.StatusOK || time.Since(begin) > time.Second {
			t.Errorf("who is remembered: %d after %s: %s", a.code, time.Since(begin), a.body)
		}
		if a := f.get(t, "/page"); a.code != http.StatusOK {
			t.Errorf("the page: %d", a.code)
		}
	}
	known()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   int
	}{
		"500":     {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, http.StatusServiceUnavailable},
		"refused": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, http.StatusServiceUnavailable},
		"garbage": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, http.StatusServiceUnavailable},
		"nobody": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":true}}`)
		}, http.StatusUnauthorized},
	} {
		set(c.answer)
		a := f.get(t, "/api/v1/status", "Authorization", "Bearer "+name)
		p := isProblem(t, a, c.code)
		if c.code == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" || strings.Contains(p.Detail, cluster.URL) {
			t.Errorf("%s: %v, %s", name, a.header, p.Detail)
		}
		known()
	}
	set(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/api/v1/status", http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Authorization", fmt.Sprint("Bearer stranger", i))
			if res, err := http.DefaultClient.Do(r); err == nil {
				res.Body.Close()
				if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("a stranger: %d", res.StatusCode)
				}
			}
		})
	}
	for range 20 {
		known()
	}
	leave()
	all.Wait()
	set(well)
	limit := time.After(10 * time.Second)
	for code := 0; code != http.StatusOK; {
		code = f.get(t, "/api/v1/status", "Authorization", "Bearer 500").code
		select {
		case <-limit:
			t.Fatalf("when it answers again: %d", code)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Whoever does not read is given up, whatever was asked for.
func TestReadersThatDoNotRead(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	f := start(t)
	f.limits.write = 100 * time.Millisecond
	given := make(chan error, 1)
	server := httptest.NewServer(f.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 64<<20))
		given <- err
	})))
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-given:
		if err == nil {
			t.Error("it was all taken")
		}
	case <-time.After(10 * time.Second):
		t.Error("it is waited for")
	}
}

// The metrics have the same bound.
func TestScrapersThatDoNotRead(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	w := &dated{ResponseRecorder: httptest.NewRecorder()}
	ByPath(Anyone{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if left := time.Until(w.deadline); left <= 0 || left > writeWithin {
		t.Errorf("the deadline is in %s", left)
	}
}

type dated struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (d *dated) SetWriteDeadline(t time.Time) error {
	d.deadline = t
	return nil
}

func TestBusy(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	w := httptest.NewRecorder()
	g := newGate(capacity{}, unlogged)
	r := httptest.NewRequest(http.MethodGet, "/api/v1/status", http.NoBody)
	g.handler(http.NotFoundHandler()).ServeHTTP(w, r.WithContext(withConn(r.Context(), &conn{gate: g, host: &usage{}})))
	a := answer{w.Code, w.Header(), w.Body.String()}
	if isProblem(t, a, http.StatusServiceUnavailable); a.header.Get("Retry-After") == "" {
		t.Errorf("%v", a.header)
	}
}
