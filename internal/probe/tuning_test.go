package probe

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// The configuration names another health path, timeout and number of tries for one type.
func TestTypesHaveTheirOwnHealth(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-DET-12")
	const answers = 300 * time.Millisecond
	const short, long = answers / 6, time.Minute
	for name, tt := range map[string]struct {
		tuning  catalog.Tuning
		timeout time.Duration // of all types
		want    backend.Outcome
		asked   int32 // times at /custom/ready
	}{
		"the catalog's":     {catalog.Tuning{}, long, backend.NotReady, 0},
		"another path":      {catalog.Tuning{HealthPath: "/custom/ready"}, long, backend.Ready, 1},
		"another, not 200":  {catalog.Tuning{HealthPath: "/nowhere"}, long, backend.NotReady, 0},
		"a shorter timeout": {catalog.Tuning{HealthPath: "/custom/slow", Timeout: short}, long, backend.Unreachable, 0},
		"a longer timeout":  {catalog.Tuning{HealthPath: "/custom/slow", Timeout: long}, short, backend.Ready, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			mux := http.NewServeMux()
			mux.Handle("/", standin.New(standin.Prometheus, standin.Options{}))
			mux.HandleFunc("/-/ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
			mux.HandleFunc("/custom/ready", func(http.ResponseWriter, *http.Request) { asked.Add(1) })
			mux.HandleFunc("/custom/slow", func(http.ResponseWriter, *http.Request) { <-time.After(answers) })
			types := builtin(t)
			types.Tune(map[string]catalog.Tuning{"prometheus": tt.tuning})
			target := serve(t, types.Lookup("prometheus"), mux)
			if o := newProber(t, Options{Timeout: tt.timeout}).Probe(t.Context(), target); o.Outcome != tt.want {
				t.Errorf("got %s, want %s: %+v", o.Outcome, tt.want, o.Seen)
			}
			if n := asked.Load(); n != tt.asked {
				t.Errorf("asked %d times, want %d", n, tt.asked)
			}
		})
	}
}

// The type's number of tries comes before the number for all types.
func TestTypesHaveTheirOwnTries(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-DET-12")
	for tries, want := range map[int]int32{0: 2, 1: 1} {
		var asked atomic.Int32
		types := builtin(t)
		types.Tune(map[string]catalog.Tuning{"prometheus": {Tries: tries}})
		target := serve(t, types.Lookup("prometheus"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/v1/status/buildinfo" {
				asked.Add(1)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		newProber(t, Options{Tries: 2}).Probe(t.Context(), target)
		if n := asked.Load(); n != want {
			t.Errorf("tries %d: asked %d times, want %d", tries, n, want)
		}
	}
}
