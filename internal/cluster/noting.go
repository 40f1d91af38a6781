package cluster

import (
	"context"
	"errors"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// client-go reports to its error handler only some of the lists and watches that fail. It does not report a watch that
// is refused with 429, that ends at once or that ends with an error, and repeats it for ever. What the store holds then
// grows old without a word. So the requests and watches themselves are noted.

// noting records which lists and watches of lw work and which fail.
func (s *scope) noting(resource string, lw *cache.ListWatch) *cache.ListWatch {
	list, watching := request{resource, "list"}, request{resource, "watch"}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			objects, err := lw.ListWithContext(ctx, o)
			switch {
			case err == nil:
				s.worked(list)
			case ctx.Err() == nil:
				s.failed(list, err)
			}
			return objects, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			events, err := lw.WatchWithContext(ctx, o)
			if err != nil {
				if ctx.Err() == nil {
					s.failed(watching, err)
				}
				return nil, err
			}
			return s.noteWatch(ctx, watching, events), nil
		},
	}
}

// atOnce is the time within which a watch that has sent nothing has not worked.
const atOnce = time.Second

var errClosed = errors.New("the watch was closed at once")

// noteWatch returns the same events as the watch. A watch works if it lives for a moment or sends an event. That it
// ends later is normal, because the API server ends each after some minutes.
func (s *scope) noteWatch(ctx context.Context, q request, from watch.Interface) watch.Interface {
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
				case !ok && !known:
					s.failed(q, errClosed)
				case ok && event.Type == watch.Error:
					s.failed(q, apierrors.FromObject(event.Object))
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

// shortWaits makes client-go return the error of a request that fails for ten seconds. It repeats a request up to ten
// times, with waits that the API server may choose (Retry-After). An informer has its own waits afterwards.
type shortWaits struct{ next http.RoundTripper }

func newShortWaits(next http.RoundTripper) http.RoundTripper { return shortWaits{next} }

func (t shortWaits) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err == nil && resp.Header.Get("Retry-After") != "" {
		resp.Header.Set("Retry-After", "1")
	}
	return resp, err
}

// WrappedRoundTripper returns the wrapped RoundTripper. client-go needs it to close connections.
func (t shortWaits) WrappedRoundTripper() http.RoundTripper { return t.next }
