package agent

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A document that HolmesGPT refused is loaded later: the reason does not outlast it.
func TestRefusalEnds(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	const other = `{"version": "0.45.0", "toolsets": [{"name": "generation/0", "status": "disabled"}]}`
	refusing := func(r *http.Request) *http.Response {
		if r.Method == http.MethodPost {
			return respond(http.StatusInternalServerError, `{"detail": "while parsing a block mapping"}`)
		}
		return respond(http.StatusOK, other)
	}
	for name, next := range map[string]func(h *holmes, a *Agent){
		"by itself": func(h *holmes, _ *Agent) { h.set(func() { h.answer, h.loaded = nil, "generation/1" }) },
		"after another document": func(h *holmes, a *Agent) {
			h.set(func() { h.answer, h.file = nil, "generation/2" })
			a.Published(document("generation/2"), true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &holmes{answer: refusing}
				a := start(t, h)
				a.Published(document("generation/1"), true)
				pass(time.Hour)
				if r := only(t, a); r.Outcome != Failed {
					t.Fatalf("it is %s", r.Outcome)
				}
				next(h, a)
				pass(time.Minute)
				if r := only(t, a); r.Outcome != Loaded || r.Detail != "" {
					t.Errorf("it is %s (%s)", r.Outcome, r.Detail)
				}
				h.set(func() { h.loaded = "generation/0" })
				pass(time.Minute)
				if r := only(t, a); r.Outcome == Failed {
					t.Errorf("with an older document it is %s (%s)", r.Outcome, r.Detail)
				}
			})
		})
	}
	t.Run("another document is waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := &holmes{answer: refusing}
			a := start(t, h)
			a.Published(document("generation/1"), true)
			pass(5 * time.Second)
			h.set(func() { h.answer, h.loaded, h.file = nil, "generation/0", "generation/0" })
			a.Published(document("generation/2"), true)
			if r := only(t, a); r.Outcome != Waiting || r.Detail != "" {
				t.Errorf("it is %s (%s)", r.Outcome, r.Detail)
			}
		})
	})
}

// slow is a HolmesGPT whose reload takes long, because a backend does not answer.
type slow struct {
	holmes
	takes   time.Duration
	running atomic.Int32 // reloads that run now
	most    atomic.Int32 // at once
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		s.most.Store(max(s.most.Load(), s.running.Add(1)))
		time.AfterFunc(s.takes, func() { s.running.Add(-1) }) // also if nobody waits for it any more
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(s.takes):
		}
	}
	return s.holmes.RoundTrip(r)
}

// A reload that takes longer than a backend may take in HolmesGPT by default, or than is waited for, is not repeated
// while it runs, and HolmesGPT does not count as away.
func TestSlowReload(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	for name, tt := range map[string]struct {
		takes time.Duration
		want  Outcome
		posts int
	}{
		"a backend hangs":       {22 * time.Second, Loaded, 1},
		"several of them hang":  {100 * time.Second, Loaded, 1},
		"longer than is waited": {10 * time.Minute, Waiting, 0}, // counted at its end
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slow{takes: tt.takes, holmes: holmes{loaded: "generation/0", file: "generation/1"}}
				var seen []Outcome
				a := newAgent(s, func(_, after *Replica) {
					if after != nil {
						seen = append(seen, after.Outcome)
					}
				})
				go a.Run(t.Context())
				a.Published(document("generation/1"), true)
				pass(time.Second)
				if r := only(t, a); r.Outcome != Waiting {
					t.Errorf("during the reload it is %s", r.Outcome)
				}
				pass(tt.takes + time.Minute)
				if r := only(t, a); r.Outcome != tt.want {
					t.Errorf("it is %s (%s), want %s", r.Outcome, r.Detail, tt.want)
				}
				for _, o := range seen {
					if o != Waiting && o != Loaded {
						t.Errorf("it was %s", o)
					}
				}
				if n := s.count(http.MethodPost); n != tt.posts || s.most.Load() != 1 {
					t.Errorf("%d reloads, %d at once", n, s.most.Load())
				}
			})
		})
	}
}

// A document that comes during a reload is loaded ten seconds after the start of that reload. If the reload takes longer than
// half of that, HolmesGPT has a pause as long, and at most ten seconds.
func TestPauseBetweenReloads(t *testing.T) {
	t.Attr("req", "DTS-RUN-7 DTS-PERF-9")
	for takes, next := range map[time.Duration]time.Duration{
		time.Second: reloadEvery, 5 * time.Second: reloadEvery, 8 * time.Second: 16 * time.Second, 22 * time.Second: 32 * time.Second,
	} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slow{takes: takes, holmes: holmes{loaded: "generation/0", file: "generation/1"}}
				a := start(t, s)
				a.Published(document("generation/1"), true)
				pass(takes - time.Millisecond)
				a.Published(document("generation/2"), true)
				pass(next - takes - 100*time.Millisecond)
				if n := s.count(http.MethodPost) + int(s.running.Load()); n != 1 {
					t.Errorf("%d reloads before %s", n, next)
				}
				pass(200 * time.Millisecond)
				if n := s.count(http.MethodPost) + int(s.running.Load()); n != 2 {
					t.Errorf("%d reloads after %s", n, next)
				}
			})
		})
	}
}

// Neither a stop nor an endpoint that goes waits for a reload.
func TestStopDuringReload(t *testing.T) {
	t.Attr("req", "DTS-RUN-4 DTS-RUN-7")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := &slow{takes: time.Minute, holmes: holmes{loaded: "generation/0", file: "generation/1"}}
		a, ended := newAgent(s, nil), make(chan struct{})
		go func() { a.Run(ctx); close(ended) }()
		a.Published(document("generation/1"), true)
		pass(5 * time.Second)
		a.Service(service("holmes").Ref, nil, nil)
		synctest.Wait()
		if n := len(a.State().Replicas); n != 0 {
			t.Errorf("%d replicas of a Service that is gone", n)
		}
		a.Service(service("holmes").Ref, service("holmes"), slice("10.0.0.7"))
		pass(20 * time.Second)
		if s.running.Load() != 2 {
			t.Fatalf("%d reloads run", s.running.Load())
		}
		cancel()
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("a stop waits for the reload")
		}
	})
}

// A replica that could not be asked, or was not there, while the others were told to reload, is told once when it
// answers.
func TestMissedReload(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	locked := func(*http.Request) *http.Response { return respond(http.StatusUnauthorized, "") }
	for name, tt := range map[string]struct {
		before Outcome
		answer func(*http.Request) *http.Response
		file   string
		want   Outcome
	}{
		"the key did not fit":             {WantsKey, locked, "generation/1", Loaded},
		"it was away":                     {Away, func(*http.Request) *http.Response { return nil }, "generation/1", Loaded},
		"its mount does not change":       {WantsKey, locked, "generation/0", Waiting},
		"it was not among the ready ones": {"", nil, "generation/1", Loaded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &holmes{loaded: "generation/0", file: tt.file, answer: tt.answer}
				a := start(t, h)
				if tt.before == "" {
					a.Service(service("holmes").Ref, nil, nil)
				}
				a.Published(document("generation/1"), true)
				pass(4 * time.Minute)
				if tt.before == "" {
					a.Service(service("holmes").Ref, service("holmes"), slice("10.0.0.7"))
				} else if r := only(t, a); r.Outcome != tt.before || h.count(http.MethodPost) != 0 {
					t.Fatalf("it is %s, after %d reloads", r.Outcome, h.count(http.MethodPost))
				}
				h.set(func() { h.answer = nil })
				pass(time.Minute)
				if r := only(t, a); r.Outcome != tt.want || h.count(http.MethodPost) != 1 {
					t.Errorf("it is %s after %d reloads, want %s after one", r.Outcome, h.count(http.MethodPost), tt.want)
				}
				for range 10 { // it comes and goes
					h.set(func() { h.answer = locked })
					pass(time.Minute)
					h.set(func() { h.answer = nil })
					a.Service(service("holmes").Ref, nil, nil)
					pass(time.Minute)
					a.Service(service("holmes").Ref, service("holmes"), slice("10.0.0.7"))
					pass(time.Minute)
				}
				if n := h.count(http.MethodPost); n != 1 {
					t.Errorf("%d reloads for one document", n)
				}
			})
		})
	}
}
