package agent

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
)

const mib = 1 << 20

// askOne asks one replica once, and returns what that allocated.
func askOne(t *testing.T, h *holmes) (r Replica, allocated uint64) {
	t.Helper()
	a := New(Options{Namespace: "holmes", Forbids: allow, Proxy: h})
	a.Service(service("holmes").Ref, service("holmes"), slice("10.0.0.7"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := a.Ask(t.Context(), document("generation/1"))
	runtime.ReadMemStats(&after)
	if len(s.Replicas) != 1 {
		t.Fatalf("%d replicas", len(s.Replicas))
	}
	return s.Replicas[0], after.TotalAlloc - before.TotalAlloc
}

// An error response of megabytes allocates little, whatever is in it.
func TestLargeRefusalsTakeLittle(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	for name, text := range map[string]string{
		"a list of objects": `{"detail":[{"":0}` + strings.Repeat(`,{"":0}`, 500_000) + `]}`,
		"a list of lists":   `{"detail":[[]` + strings.Repeat(`,[]`, 1_000_000) + `]}`,
		"many details":      `{"detail":[]` + strings.Repeat(`,"detail":{}`, 300_000) + `}`,
		"deep":              `{"detail":` + strings.Repeat(`[`, 4_000_000),
		"a long text":       `{"detail":"` + strings.Repeat(`\u0001`, 600_000) + `"}`,
		"short, a list":     `{"detail":[{"loc":["query","detail"],"msg":"field required"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			r, allocated := askOne(t, &holmes{answer: func(*http.Request) *http.Response { return respond(500, text) }})
			if r.Outcome != Failed || r.Detail != "HTTP 500 Internal Server Error" || allocated > 2*mib {
				t.Errorf("it is %s (%s), with %d KiB allocated", r.Outcome, r.Detail, allocated>>10)
			}
		})
	}
}
