package server

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
)

// unread is a response that nobody reads.
type unread struct {
	http.ResponseWriter
	wrote, end chan struct{}
}

func (w unread) Write(p []byte) (int, error) {
	w.wrote <- struct{}{}
	<-w.end
	return len(p), nil
}

// A compressor takes most of a megabyte. Clients that do not read hold none.
func TestUnreadHoldsNoCompressor(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const clients, most = 200, 64 << 10 // bytes for each
	serve := start(t).Handler(nil)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	wrote, end := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for range clients {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/services", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		all.Go(func() { serve.ServeHTTP(unread{httptest.NewRecorder(), wrote, end}, r) })
	}
	for range clients {
		<-wrote
	}
	if each := (heap() - before) / clients; each > most {
		t.Errorf("each holds %d KiB", each>>10)
	}
	close(end)
	all.Wait()
}
