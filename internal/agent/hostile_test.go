package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

const mib = 1 << 20

// answers is a HolmesGPT that reloads, and whose toolset prometheus/metrics has a status and an error.
func answers(t *testing.T, status, text string) *holmes {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	info := `{"version": "0.45.0", "toolsets": [{"name": "prometheus/metrics", "status": "` + status + `", "error": ` + string(quoted) + `},
		{"name": "grafana/dashboards", "status": "enabled", "tool_count": 3}, {"name": "generation/1", "status": "disabled"}]}`
	return &holmes{answer: func(r *http.Request) *http.Response {
		if r.Method == http.MethodPost {
			return respond(http.StatusOK, `{"status": "ok"}`)
		}
		return respond(http.StatusOK, info)
	}}
}

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

// A backend's answer with hundreds of thousands of instances, which HolmesGPT quotes, is read in one pass.
func TestManyInstancesTakeLittle(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	t.Attr("req", "DTS-RUN-4") // the loop ends before the lease is released
	var distinct strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&distinct, "\n[%d] ", i)
	}
	const many = 600_000
	for name, tt := range map[string]struct{ status, text string }{
		"failed":      {StatusFailed, "[a] x" + strings.Repeat("\n[a] ", many)},
		"enabled":     {StatusEnabled, "[a] ok; failed: [b] x" + strings.Repeat(" | [b] ", many/2)},
		"of document": {StatusFailed, "[a/prom] x" + strings.Repeat("\n[a/prom] ", many/4)},
		"distinct":    {StatusFailed, "[a] x" + distinct.String()},
		"brackets":    {StatusFailed, "[a] x" + strings.Repeat("[", many*4)},
		"at signs":    {StatusFailed, "[a] //" + strings.Repeat("@//", many)},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			r, allocated := askOne(t, answers(t, tt.status, tt.text))
			if took := time.Since(begun); took > time.Second {
				t.Errorf("it took %s", took)
			}
			if r.Outcome != Loaded || allocated > 80*mib {
				t.Errorf("it is %s (%s), with %d KiB allocated", r.Outcome, r.Detail, allocated>>10)
			}
		})
	}
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
