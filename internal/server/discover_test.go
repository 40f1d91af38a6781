package server

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/controller"
)

func TestDiscover(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	d := decode[Discovery](t, f.ask(t, http.MethodPost, "/api/v1/discover", nil))
	if d.Status != "done" || d.Count != 3 || len(d.Services) != 3 || !d.Leader || d.Services[0].Namespace != "monitoring" {
		t.Errorf("%+v", d)
	}
	follower := *example(t)
	follower.Leading = false
	f.state.set(&follower)
	if d := decode[Discovery](t, f.ask(t, http.MethodPost, "/api/v1/discover", nil)); d.Leader {
		t.Error("a follower says that it leads")
	}
	f.state.discover = func(context.Context) (*controller.Snapshot, error) {
		return nil, &controller.TooSoonError{Wait: 1100 * time.Millisecond}
	}
	a := f.ask(t, http.MethodPost, "/api/v1/discover", nil)
	isProblem(t, a, http.StatusTooManyRequests)
	if a.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	isProblem(t, f.get(t, "/api/v1/discover"), http.StatusMethodNotAllowed)
}

// A discovery that takes too long is answered with what is known by then.
func TestDiscoverThatHangs(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	f.limits.discover = 50 * time.Millisecond
	f.state.discover = func(ctx context.Context) (*controller.Snapshot, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if d := decode[Discovery](t, f.ask(t, http.MethodPost, "/api/v1/discover", nil)); d.Status != "running" || d.Count != 3 {
		t.Errorf("%+v", d)
	}
}

// Fifty ask at once: one discovery runs, and everybody gets its outcome or is told to wait; reading goes on meanwhile.
func TestFiftyDiscoveries(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	t.Attr("req", "DTS-API-2")
	f := start(t)
	var mu sync.Mutex
	var runs atomic.Int64
	release := make(chan struct{})
	began := false
	f.state.discover = func(ctx context.Context) (*controller.Snapshot, error) { // as the controller does
		mu.Lock()
		first := !began
		began = true
		mu.Unlock()
		if first {
			runs.Add(1)
		}
		select {
		case <-release:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return f.state.Snapshot(), nil
	}
	codes := make(chan int, 50)
	for range cap(codes) {
		go func() { codes <- f.ask(t, http.MethodPost, "/api/v1/discover", nil).code }()
	}
	for range 20 {
		if a := f.get(t, "/api/v1/services"); a.code != http.StatusOK {
			t.Errorf("reading meanwhile: %d", a.code)
		}
	}
	close(release)
	for range cap(codes) {
		if code := <-codes; code != http.StatusOK && code != http.StatusTooManyRequests {
			t.Errorf("answered %d", code)
		}
	}
	if runs.Load() != 1 {
		t.Errorf("%d discoveries ran", runs.Load())
	}
}
