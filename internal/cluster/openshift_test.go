package cluster

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
)

// Whether the cluster is OpenShift is asked once; while it is not known, the agent's token is kept at home.
func TestRoutes(t *testing.T) {
	t.Attr("req", "DTS-OUT-14")
	var status atomic.Int32
	var questions atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		questions.Add(1)
		if r.URL.Path != "/apis/route.openshift.io" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write([]byte(`{"kind":"APIGroup","apiVersion":"v1","name":"route.openshift.io"}`))
	}))
	defer server.Close()
	config := &rest.Config{Host: server.URL}
	for code, want := range map[int32]bool{http.StatusOK: true, http.StatusNotFound: false, http.StatusForbidden: true, http.StatusInternalServerError: true} {
		status.Store(code)
		r := NewRoutes(config)
		if !r.Served() {
			t.Error("before it is known, it counts as not served")
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx, func() {}) }()
		<-r.Asked()
		if got := r.Served(); got != want {
			t.Errorf("%d: served %t, want %t", code, got, want)
		}
		stop()
		<-done
		served, err := ServesRoutes(t.Context(), config)
		if known := code == http.StatusOK || code == http.StatusNotFound; (err == nil) != known || known && served != want {
			t.Errorf("%d: served %t, %v", code, served, err)
		}
	}
	if questions.Load() == 0 {
		t.Error("nobody was asked")
	}
}
