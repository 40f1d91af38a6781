package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// An API server that answers as a test says.
type apiServer struct {
	*httptest.Server
	token, access atomic.Pointer[http.HandlerFunc]
}

func answering(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
}

const (
	jane = `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":true,"user":{"username":"jane"}}}`
	may  = `{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`
)

func newAPIServer(t *testing.T) (*apiServer, *Reviewer) {
	t.Helper()
	s := &apiServer{}
	s.set(answering(jane), answering(may))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/tokenreviews") {
			(*s.token.Load())(w, r)
		} else {
			(*s.access.Load())(w, r)
		}
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	k, err := ReviewerFor(&rest.Config{Host: s.URL}, ReviewOptions{Namespace: "toolsets-here"})
	if err != nil {
		t.Fatal(err)
	}
	return s, k
}

func (s *apiServer) set(token, access http.HandlerFunc) {
	s.token.Store(&token)
	s.access.Store(&access)
}

// hang holds a request until its client leaves.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func failing(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.Error(w, "out of order", code)
	}
}

// bad are answers that tell nothing, or lie.
func bad() map[string]http.HandlerFunc {
	all := map[string]http.HandlerFunc{
		"hangs":     hang,
		"500":       failing(http.StatusInternalServerError),
		"503":       failing(http.StatusServiceUnavailable, "Retry-After", "1"),
		"429":       failing(http.StatusTooManyRequests, "Retry-After", "1"),
		"429, long": failing(http.StatusTooManyRequests, "Retry-After", "3600"),
		"401":       failing(http.StatusUnauthorized),
		"403":       failing(http.StatusForbidden),
		"404":       failing(http.StatusNotFound),
		"redirect":  failing(http.StatusFound, "Location", "/elsewhere"),
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"kind":"TokenReview"`)
			panic(http.ErrAbortHandler) //nolint:forbidigo // how net/http is told to cut a connection
		},
		"drips": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat(" ", 64<<10)); err != nil {
					return
				}
			}
		},
		"10 MB of groups": answering(`{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":true,` +
			`"user":{"username":"jane","groups":["` + strings.Repeat("g", 10<<20) + `"]},"allowed":true}}`),
	}
	for name, text := range map[string]string{
		"nothing": "", "HTML": "<html>ok</html>", "half": `{"status":{"authenticated":true,`, "null": "null", "a list": "[]", "a number": "1",
		"deep":           strings.Repeat(`{"status":`, 20_000),
		"another kind":   `{"kind":"Pod","apiVersion":"v1","status":{"authenticated":true,"allowed":true}}`,
		"success":        `{"kind":"Status","apiVersion":"v1","status":"Success"}`,
		"failure":        `{"kind":"Status","apiVersion":"v1","status":"Failure","code":500}`,
		"no status":      `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1"}`,
		"wrong types":    `{"status":{"authenticated":"true","allowed":"true","user":{"username":7}}}`,
		"nobody":         `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":true,"user":{"username":""}}}`,
		"anonymous":      `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":true,"user":{"username":"system:anonymous"}}}`,
		"not accepted":   `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"user":{"username":"jane"}}}`,
		"yes and no":     `{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true,"denied":true}}`,
		"refused, error": `{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"evaluationError":"webhook away"}}`,
	} {
		all[name] = answering(text)
	}
	return all
}

// Whatever the API server does to a review, nobody new is let in, nobody waits longer than the bound, an answer of any size costs
// little, who was allowed goes on, and all is well when it is.
func TestReviewsThatFail(t *testing.T) {
	t.Attr("req", "DTS-API-3 DTS-SEC-3")
	var all sync.WaitGroup // and no parallel tests, of which few run at a time: some take the whole bound
	for name, handler := range bad() {
		for _, which := range []string{"TokenReview", "SubjectAccessReview"} {
			s, k := newAPIServer(t)
			all.Go(func() {
				if err := refuses(t.Context(), s, k, which, handler); err != nil {
					t.Errorf("%s, %s: %v", which, name, err)
				}
			})
		}
	}
	all.Wait()
}

// refuses says what is wrong with what is done while one of the reviews is answered so.
func refuses(ctx context.Context, s *apiServer, k *Reviewer, which string, handler http.HandlerFunc) error {
	if _, err := k.Authorize(ctx, "known", toGetToolsets); err != nil {
		return fmt.Errorf("while all is well: %w", err)
	}
	if which == "TokenReview" {
		s.set(handler, answering(may))
	} else {
		s.set(answering(jane), handler)
	}
	start := time.Now()
	user, err := k.Authorize(ctx, "new", toGetToolsets)
	took := time.Since(start)
	switch {
	case err == nil:
		return fmt.Errorf("let in as %q", user)
	case !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrUnauthenticated) && !errors.Is(err, ErrForbidden):
		return fmt.Errorf("another error: %w", err)
	case strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "out of order"):
		return fmt.Errorf("the caller is told: %w", err)
	case took > reviewTimeout+3*time.Second:
		return fmt.Errorf("after %s", took)
	}
	if _, err := k.Authorize(ctx, "known", toGetToolsets); err != nil {
		return fmt.Errorf("who was allowed: %w", err)
	}
	s.set(answering(jane), answering(may))
	if errors.Is(err, ErrUnavailable) {
		if _, err := k.Authorize(ctx, "new", toGetToolsets); err != nil {
			return fmt.Errorf("when it answers again: %w", err)
		}
	}
	return nil
}

// Many callers while the API server answers without end: the memory is that of the reviews that run, each bounded.
func TestReviewsAreBoundedInMemory(t *testing.T) {
	t.Attr("req", "DTS-API-3 DTS-SEC-3")
	s, k := newAPIServer(t)
	s.set(bad()["10 MB of groups"], answering(may))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if _, err := k.Authorize(t.Context(), fmt.Sprint("a.b.", i), toGetToolsets); err == nil {
				t.Error("let in")
			}
		})
	}
	all.Wait()
	runtime.ReadMemStats(&after)
	// 20 to 30 reviews of 256 KiB, read into buffers that double; without a bound each takes tens of megabytes.
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 200 {
		t.Errorf("%d MiB were allocated", got)
	}
}
