package server

import (
	"context"
	"net/http"
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
