package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// client-go reports to its error handler only some of the lists and watches that fail. It does not report a watch that
// is refused with 429, that ends at once or that ends with an error, and repeats it for ever. What the store holds then
// grows old without a word. So the requests and watches themselves are noted.

// noting records which lists and watches of lw work and which fail.
func (s *scope) noting(lw *cache.ListWatch, example runtime.Object) *cache.ListWatch {
	kind := cmp.Or(s.exposer, kindOf(fmt.Sprintf("%T", example)))
	list, watching := request{kind, "list"}, request{kind, "watch"}
	return listWatch(
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			objects, err := lw.ListWithContext(s.noteTries(ctx, list), o)
			switch {
			case err == nil:
				s.worked(list)
			case ctx.Err() == nil:
				s.failed(list, err, false)
			}
			return objects, err
		},
		func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			asked := time.Now()
			events, err := lw.WatchWithContext(s.noteTries(ctx, watching), o)
			if err != nil {
				if ctx.Err() == nil {
					s.failed(watching, err, false)
				}
				return nil, err
			}
			return s.noteWatch(ctx, watching, asked, events), nil
		})
}

// atOnce is the time within which a watch that has sent nothing has not worked.
const atOnce = time.Second

var errClosed = errors.New("the watch was closed at once")

// noteWatch returns the same events as the watch. A watch works if it lives for a moment or sends an event. That it
// ends later is normal, because the API server ends each after some minutes. asked is when the watch was requested.
func (s *scope) noteWatch(ctx context.Context, q request, asked time.Time, from watch.Interface) watch.Interface {
	events := make(chan watch.Event)
	to := watch.NewProxyWatcher(events)
	go func() {
		defer from.Stop()
		defer close(events)
		lives := time.NewTimer(atOnce)
		defer lives.Stop()
		for known := false; ; { // known: that it works or has failed
			select {
			case <-ctx.Done():
				return
			case <-to.StopChan():
				return
			case <-lives.C:
				if !known {
					s.worked(q)
				}
				known = true
			case event, ok := <-from.ResultChan():
				switch {
				case !ok && !known && !s.failedSince(q, asked):
					s.failed(q, errClosed, true)
				case ok && event.Type == watch.Error:
					s.failed(q, apierrors.FromObject(event.Object), true)
				case ok && !known:
					s.worked(q)
				}
				if known = true; !ok {
					return
				}
				select {
				case <-to.StopChan():
					return
				case events <- event:
				}
			}
		}
	}()
	return to
}

// failedSince reports whether the request has failed since then. If all tries of a watch fail, client-go returns a
// watch that is closed instead of the error.
func (s *scope) failedSince(q request, then time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.last[q].over && !s.last[q].at.Before(then)
}

// noteTries returns a context with which each try of a request is noted.
func (s *scope) noteTries(ctx context.Context, q request) context.Context {
	return context.WithValue(ctx, tries{}, func(err error) {
		if ctx.Err() == nil {
			s.failed(q, err, true)
		}
	})
}

// tries notes each try that client-go repeats within one request, because the connection was closed or the API server
// asks for it: up to ten times, with a wait that the API server may choose. It is also the key of the function for that
// in a context.
type tries struct{ next http.RoundTripper }

func newTries(next http.RoundTripper) http.RoundTripper { return tries{next} }

func (t tries) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	note, ok := r.Context().Value(tries{}).(func(error))
	switch {
	case !ok:
	case err != nil:
		note(err)
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= http.StatusInternalServerError:
		if wait, _ := strconv.Atoi(resp.Header.Get("Retry-After")); wait > 0 {
			code, none := resp.StatusCode, schema.GroupResource{}
			note(apierrors.NewGenericServerResponse(code, r.Method, none, "", "", wait, true))
		}
	}
	return resp, err
}

// WrappedRoundTripper returns the wrapped RoundTripper. client-go needs it to close connections.
func (t tries) WrappedRoundTripper() http.RoundTripper { return t.next }
