package cli

import (
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
)

type hook struct {
	io.Reader
	n   int
	max uint64
}

func (h *hook) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.n += n
	if err == io.EOF {
		runtime.GC()
		f, _ := os.Create("/tmp/t/heap.prof")
		pprof.WriteHeapProfile(f)
		f.Close()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		println("alloc", m.HeapAlloc>>20, "sys", m.Sys>>20, "total", m.TotalAlloc>>20)
	}
	return n, err
}

func TestProf(t *testing.T) {
	runtime.MemProfileRate = 4096
	f, err := os.Open(os.Getenv("BIG"))
	if err != nil {
		t.Fatal(err)
	}
	Run(t.Context(), "x", []string{"discover", "-f", "-"}, Streams{In: &hook{Reader: f}, Out: io.Discard, Err: os.Stderr})
}
