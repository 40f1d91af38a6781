package cluster

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// watchServer is an API server by the clock of synctest.
type watchServer struct {
	*apiServer
	// watch answers a watch, list a list. Where they are nil or return nothing, all is well.
	watch, list atomic.Pointer[func(*http.Request) (*http.Response, error)]
	end         atomic.Pointer[chan struct{}] // ends the open watches
	watches     atomic.Int64
}

// cut ends the open watches.
func (s *watchServer) cut() {
	next := make(chan struct{})
	if end := s.end.Swap(&next); end != nil {
		close(*end)
	}
}

func (s *watchServer) RoundTrip(r *http.Request) (*http.Response, error) {
	watches := r.URL.Query().Get("watch") == "true"
	answer := s.list.Load()
	if watches {
		answer = s.watch.Load()
		s.watches.Add(1)
	}
	if answer != nil {
		if resp, err := (*answer)(r); resp != nil || err != nil {
			return resp, err
		}
	}
	if watches {
		return s.open(r), nil
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

// open is a watch without events, until end.
func (s *watchServer) open(r *http.Request) *http.Response {
	from, to := io.Pipe()
	end := *s.end.Load()
	go func() {
		select {
		case <-r.Context().Done():
		case <-end:
		}
		to.Close()
	}()
	return response(http.StatusOK, from)
}

func response(code int, body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
}

func text(code int, body string) *http.Response {
	return response(code, io.NopCloser(bytes.NewBufferString(body)))
}

// later answers with a status, and asks to wait for so many seconds.
func later(code, wait int) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		resp := text(code, "")
		resp.Header.Set("Content-Type", "text/plain")
		if wait > 0 {
			resp.Header.Set("Retry-After", fmt.Sprint(wait))
		}
		return resp, nil
	}
}

// errorEvent answers with an event that ends the watch.
func errorEvent(code int, reason string) func(*http.Request) (*http.Response, error) {
	var version atomic.Int64
	return func(*http.Request) (*http.Response, error) {
		return text(http.StatusOK, fmt.Sprintf(`{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure",
			"code": %d, "reason": %q, "message": "version %d"}}`, code, reason, version.Add(1))), nil
	}
}

// pass lets time pass, and what happens at its end.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // on the clock of synctest
	synctest.Wait()
}

// watching runs a watch of the server, which has one Service in each namespace. It returns how often something failed.
func watching(t *testing.T, s *watchServer, namespaces ...string) (*Watch, warnings, *atomic.Int64) {
	t.Helper()
	var failed atomic.Int64
	s.apiServer = filled(1, append(namespaces, "shop")...)
	s.cut()
	watch, log := runningWith(t, &rest.Config{Host: "http://api", Transport: s}, Options{
		Namespaces: namespaces, Failed: func() { failed.Add(1) },
	})
	return watch, log, &failed
}

// What is known grows old while lists work and watches do not, however they fail. The next try may be far away.
func TestFailuresAreReported(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	for name, tc := range map[string]struct {
		answer func(*http.Request) (*http.Response, error) // to watches, and to lists if the name says so
		want   string
	}{
		"503 to lists":        {later(503, 120), "cannot list services: "},
		"429":                 {later(429, 0), "too many requests"},
		"429 with a wait":     {later(429, 1), "too many requests"},
		"503 with a long one": {later(503, 120), "unable to handle the request"},
		"410 in an event":     {errorEvent(410, "Expired"), "cannot watch services: version "},
		"500 in an event":     {errorEvent(500, "InternalError"), "cannot watch services: version "},
		"429 in an event":     {errorEvent(429, "TooManyRequests"), "cannot watch services: version "},
		"closed": {
			func(*http.Request) (*http.Response, error) { return nil, io.EOF }, "the watch was closed at once",
		},
		"closed after the headers": {
			func(*http.Request) (*http.Response, error) { return text(http.StatusOK, ""), nil }, "the watch was closed at once",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &watchServer{}
				s.watch.Store(&tc.answer)
				if strings.Contains(name, "lists") {
					s.list.Store(&tc.answer)
				}
				watch, log, failed := watching(t, s)
				pass(30 * time.Second)
				if err := watch.Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("after 30 s: %v", err)
				}
				if failed.Load() == 0 {
					t.Error("nothing is counted")
				}
				pass(30 * time.Minute)
				if err := watch.Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("after 30 min: %v", err)
				}
				if n := len(log); n != 3 { // for Services, EndpointSlices and the ConfigMap
					t.Errorf("%d lines, want one of each kind", n)
					for range n {
						t.Log(<-log)
					}
				}
				s.watch.Store(nil)
				s.list.Store(nil)
				pass(4 * time.Minute)
				if err := watch.Err(); err != nil {
					t.Errorf("it works again: %v", err)
				}
			})
		})
	}
}

// Something between here and the API server may hang: a list that gets no answer is reported, and repeated.
func TestListWithoutAnswerIsRepeated(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	synctest.Test(t, func(t *testing.T) {
		s := &watchServer{}
		hang := func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		s.list.Store(&hang)
		watch, log, _ := watching(t, s)
		pass(2*listTimeout + time.Minute)
		if err := watch.Err(); err == nil || len(log) != 3 {
			t.Errorf("%d lines, want one of each kind; %v", len(log), err)
		}
		s.list.Store(nil)
		pass(listTimeout + time.Minute)
		select {
		case <-watch.Synced():
		default:
			t.Errorf("it is not listed when it is answered: %v", watch.Err())
		}
	})
}

// The API server ends each watch after some minutes, and no longer has old versions after a restart.
func TestWatchesThatEndAreNormal(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	synctest.Test(t, func(t *testing.T) {
		s := &watchServer{}
		watch, log, failed := watching(t, s)
		for range 5 {
			pass(5 * time.Minute)
			s.cut()
		}
		pass(time.Minute)
		if failed.Load() > 0 || watch.Err() != nil {
			t.Errorf("%d failed: %v", failed.Load(), watch.Err())
		}
		for range 3 {
			before, expired := s.watches.Load(), errorEvent(410, "Expired")
			once := func(r *http.Request) (*http.Response, error) {
				if s.watches.Load() > before+3 {
					return nil, nil
				}
				return expired(r)
			}
			s.watch.Store(&once)
			s.cut()
			for range 60 {
				pass(time.Second)
				if err := watch.Err(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(log) > 0 {
			t.Errorf("logged: %s", <-log)
		}
	})
}

// client-go hands an object that is listed again to the handlers although it is unchanged. If it did not, each would be
// kept beside the store's.
func TestListedAgainIsKeptOnce(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		s := &watchServer{}
		expired := errorEvent(410, "Expired")
		s.watch.Store(&expired)
		watch, _, _ := watching(t, s)
		pass(10 * time.Second)
		if n := s.watches.Load(); n < 6 {
			t.Fatalf("%d watches: it was not listed again", n)
		}
		kept := 0
		for _, scope := range watch.scopes {
			for _, informer := range scope.informers {
				for _, object := range informer.GetStore().List() {
					if k, ok := object.(*keptService); ok {
						if kept++; k.service != nil {
							t.Error("it is kept beside the store's")
						}
					}
				}
			}
		}
		if kept != 1 {
			t.Errorf("%d Services", kept)
		}
	})
}

// The right to list a namespace is taken away while it is watched, and given again.
func TestNamespaceForbiddenLater(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	synctest.Test(t, func(t *testing.T) {
		s := &watchServer{}
		watch, log, _ := watching(t, s, "team", "other")
		pass(time.Minute)
		watch.store.Take()
		refuse := func(r *http.Request) (*http.Response, error) {
			if !strings.Contains(r.URL.Path, "/namespaces/team/") {
				return nil, nil
			}
			w := httptest.NewRecorder()
			forbid(w, r)
			return w.Result(), nil
		}
		s.watch.Store(&refuse)
		s.cut()
		pass(time.Minute)
		if frozen := watch.store.Frozen(); len(frozen) > 0 || watch.Err() == nil {
			t.Errorf("it can be listed, and is not up to date: frozen %v, %v", frozen, watch.Err())
		}
		s.list.Store(&refuse)
		pass(2 * time.Minute)
		if diff := cmp.Diff([]string{"team"}, watch.store.Frozen()); diff != "" || watch.Err() != nil {
			t.Errorf("frozen (-want +got):\n%s\n%v", diff, watch.Err())
		}
		watch.store.TouchAll()
		if list := watch.store.Take(); len(list) != 1 || list[0].Namespace != "other" {
			t.Errorf("changes: %v", list)
		}
		lines := len(log)
		pass(time.Hour)
		if len(log) != lines {
			t.Errorf("%d lines, then %d", lines, len(log))
		}
		s.list.Store(nil)
		s.watch.Store(nil)
		pass(2 * time.Minute)
		if frozen := watch.store.Frozen(); len(frozen) > 0 || watch.Err() != nil {
			t.Errorf("allowed again: frozen %v, %v", frozen, watch.Err())
		}
		if list := watch.store.Take(); len(list) != 1 || list[0].Ref != (backend.Ref{Namespace: "team", Name: "s0000"}) {
			t.Errorf("changes: %v", list)
		}
	})
}
