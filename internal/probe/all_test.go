package probe

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// many returns custom targets that are not dialled, each at its own address.
func many(n int) []Target {
	targets := make([]Target, n)
	for i := range targets {
		targets[i] = targetAt(&net.TCPAddr{IP: net.IPv4(10, 0, byte(i>>8), byte(i)), Port: 80}, nil)
		targets[i].Candidate.Service.Name = fmt.Sprint("s", i)
	}
	return targets
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	for limit, want := range map[int]time.Duration{3: 4 * time.Second, 0: time.Second} { // 0: the default, 256
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int32
			p := newProber(t, Options{Concurrency: limit, RoundTripper: via(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second) //nolint:forbidigo // on the clock of synctest
				now.Add(-1)
			}))})
			begin := time.Now()
			done := map[int]bool{}
			got := p.ProbeAll(t.Context(), many(12), func(i int, o backend.Observation) {
				if done[i] || o.Outcome != backend.Ready {
					t.Errorf("onDone(%d, %s)", i, o.Outcome)
				}
				done[i] = true
			})
			if limit > 0 && int(most.Load()) > limit {
				t.Errorf("%d at once, limit %d", most.Load(), limit)
			}
			if took := time.Since(begin); took != want {
				t.Errorf("limit %d took %s, want %s", limit, took, want)
			}
			if len(got) != 12 || len(done) != 12 {
				t.Errorf("%d observations, %d told of", len(got), len(done))
			}
		})
	}
}

// Two Services, or two types, at one address wait for each other. No other target waits for them.
func TestOneAtATimePerBackend(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		busy := map[string]bool{}
		p := newProber(t, Options{Concurrency: 2, RoundTripper: func(c *backend.Candidate) http.RoundTripper {
			at := Address(Target{Candidate: c})
			return via(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				mu.Lock()
				if busy[at] {
					t.Errorf("two at once at %s", at)
				}
				busy[at] = true
				mu.Unlock()
				time.Sleep(time.Second) //nolint:forbidigo // on the clock of synctest
				mu.Lock()
				busy[at] = false
				mu.Unlock()
			}))(c)
		}})
		targets := append(many(1), many(4)...)
		targets = append(targets, many(1)...) // three at the first address, one at each of three others
		begin := time.Now()
		ends := make([]time.Duration, len(targets))
		p.ProbeAll(t.Context(), targets, func(i int, _ backend.Observation) { ends[i] = time.Since(begin) })
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("took %s, want 3s: the three at one address, the others beside them", took)
		}
	})
}

// Probes of different namespaces at one address wait for each other, but not for a probe that takes long.
func TestOtherNamespacesWaitAMoment(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	synctest.Test(t, func(t *testing.T) {
		var takes atomic.Int64
		p := newProber(t, Options{RoundTripper: via(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(time.Duration(takes.Load())) //nolint:forbidigo // on the clock of synctest
		}))})
		mine, theirs := many(1)[0], many(1)[0]
		theirs.Candidate.Service.Namespace = "elsewhere"
		for each, want := range map[time.Duration]time.Duration{
			200 * time.Millisecond: 400 * time.Millisecond, 2 * time.Second: 2250 * time.Millisecond,
		} {
			takes.Store(int64(each))
			begin := time.Now()
			var wg sync.WaitGroup
			for _, target := range []Target{mine, theirs} {
				wg.Go(func() { p.Probe(t.Context(), target) })
			}
			wg.Wait()
			if took := time.Since(begin); took != want {
				t.Errorf("two probes of %s took %s, want %s", each, took, want)
			}
		}
	})
}

// Dead backends do not delay live ones.
func TestDeadBackendsDelayNobody(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	synctest.Test(t, func(t *testing.T) {
		p := newProber(t, Options{Tries: 3, RoundTripper: func(c *backend.Candidate) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				var n int
				if _, err := fmt.Sscanf(c.Service.Name, "s%d", &n); err != nil {
					return nil, err
				}
				if n%2 == 0 {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				time.Sleep(100 * time.Millisecond) //nolint:forbidigo // on the clock of synctest
				return via(answers{"*": {body: "fine"}})(c).RoundTrip(r)
			})
		}})
		begin := time.Now()
		p.ProbeAll(t.Context(), many(400), func(i int, o backend.Observation) {
			took := time.Since(begin)
			if i%2 == 1 && (o.Outcome != backend.Ready || took > 2*time.Second) {
				t.Errorf("live backend %d: %s after %s", i, o.Outcome, took)
			}
			if i%2 == 0 && (o.Cause != causeTimeout || len(o.Requests) != 3) {
				t.Errorf("dead backend %d: %s %s, %d requests", i, o.Outcome, o.Cause, len(o.Requests))
			}
		})
		if took, atMost := time.Since(begin), (3*5+1+2+1)*time.Second; took > atMost {
			t.Errorf("all took %s, want at most %s", took, atMost)
		}
	})
}
