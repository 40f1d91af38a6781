package health

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// script is a Prober whose backends answer as told.
type script struct {
	mu       sync.Mutex
	outcome  map[string]backend.Outcome // by Service name
	takes    map[string]time.Duration
	asked    map[string]int
	denied   map[string]bool
	cause    string        // of all that does not work
	degraded string        // of all that is not ready
	scheme   string        // of all answers; http unless set
	lingers  time.Duration // a probe that was ended
	now, top int
}

// newScript returns a Prober that finds these backends ready.
func newScript(ready ...string) *script {
	s := &script{outcome: map[string]backend.Outcome{}, takes: map[string]time.Duration{}, asked: map[string]int{}, denied: map[string]bool{}}
	for _, name := range ready {
		s.outcome[name] = backend.Ready
	}
	return s
}

func (s *script) set(name string, o backend.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcome[name] = o
}

func (s *script) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}

func (s *script) Probe(ctx context.Context, t probe.Target) backend.Observation {
	name := t.Candidate.Service.Name
	s.mu.Lock()
	s.asked[name]++
	s.now++
	s.top = max(s.top, s.now)
	takes := s.takes[name]
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		<-time.After(s.lingers)
	case <-time.After(takes):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
	o := backend.Observation{Outcome: s.outcome[name], Identity: true, At: time.Now(), Scheme: cmp.Or(s.scheme, "http")}
	if !o.Outcome.Up() {
		o.Cause = s.cause
	}
	if o.Outcome == backend.NotReady {
		o.Degraded = s.degraded
	}
	return o
}

func (s *script) Denied(t probe.Target) (backend.Observation, bool) {
	if !s.denied[t.Candidate.Service.Name] {
		return backend.Observation{}, false
	}
	return backend.Observation{Outcome: backend.Unreachable, Cause: backend.CauseDenied, At: time.Now()}, true
}

func target(name string) probe.Target {
	s := &backend.Service{Ref: backend.Ref{Namespace: "ns", Name: name}}
	return probe.Target{Candidate: &backend.Candidate{Service: s, Type: "prometheus", Host: name + ".ns.svc", PortNumber: 9090, Scheme: "http"}}
}

func key(name string) backend.Key {
	return backend.Key{Ref: backend.Ref{Namespace: "ns", Name: name}, Type: "prometheus"}
}

// run starts a Monitor on synctest's clock, and stops it when the test ends.
func run(t *testing.T, s Prober, opts Options, body func(m *Monitor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := New(s, opts)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			m.Run(ctx)
		}()
		body(m)
		stop()
		<-ended
	})
}

var usual = Options{Interval: 30 * time.Second, Threshold: 3, Concurrency: 4, Address: probe.Address}

// pass lets time go by, with all probes that fall into it.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // on the clock of synctest
	synctest.Wait()
}

// checks lets time go by until a backend was probed that often.
func checks(s *script, name string, n int) {
	for was := s.count(name); s.count(name) < was+n; {
		pass(time.Second)
	}
}

func outcome(m *Monitor, name string) backend.Outcome { return m.Observations()[key(name)].Outcome }

func TestThreshold(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	s := newScript("a")
	run(t, s, usual, func(m *Monitor) {
		m.Set([]probe.Target{target("a")})
		pass(time.Millisecond)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Fatalf("after the first success: %q", got)
		}
		s.set("a", backend.Unreachable)
		pass(35 * time.Second)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("after one failure: %q, want it kept", got)
		}
		s.set("a", backend.Ready)
		pass(35 * time.Second)
		s.set("a", backend.Unreachable)
		checks(s, "a", 2)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("after two failures in a row: %q, want it kept: the success between had ended the count", got)
		}
		pass(35 * time.Second)
		if got := outcome(m, "a"); got != backend.Unreachable {
			t.Errorf("after three failures in a row: %q", got)
		}
		s.set("a", backend.Ready)
		pass(35 * time.Second)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("after its recovery: %q", got)
		}
	})
}

// A backend that works and asks for credentials once is not withdrawn: its proxy may have failed, or one of its replicas asks
// for them already. That it needs none any more counts at once.
func TestCredentialsOnce(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	s := newScript("a")
	s.set("locked", backend.AuthRequired)
	run(t, s, usual, func(m *Monitor) {
		m.Set([]probe.Target{target("a"), target("locked")})
		pass(time.Millisecond)
		if got := outcome(m, "locked"); got != backend.AuthRequired {
			t.Errorf("one that required them from the start: %q", got)
		}
		s.set("locked", backend.Ready)
		checks(s, "locked", 1)
		if got := outcome(m, "locked"); got != backend.Ready {
			t.Errorf("one that requires none any more: %q", got)
		}
		for range 3 {
			s.set("a", backend.AuthRequired)
			checks(s, "a", 1)
			if got := outcome(m, "a"); got != backend.Ready {
				t.Errorf("after one refusal: %q, want it kept", got)
			}
			s.set("a", backend.Ready)
			checks(s, "a", 1)
		}
		s.set("a", backend.AuthRequired)
		checks(s, "a", 2)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("after two refusals in a row: %q, want it kept", got)
		}
		checks(s, "a", 1)
		if got := outcome(m, "a"); got != backend.AuthRequired {
			t.Errorf("after three refusals in a row: %q", got)
		}
		s.set("a", backend.Ready)
		checks(s, "a", 1)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("after it was opened again: %q", got)
		}
	})
}

// Somebody on the way to a backend can answer in plain HTTP once. What was proven over TLS stays, and what answers so for longer
// is marked, also if nothing answered in between.
func TestLostTLS(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-OUT-4")
	s := newScript("a", "fixed")
	fixed := target("fixed")
	fixed.Candidate.FixedScheme = true
	run(t, s, usual, func(m *Monitor) {
		now := func(name string) string {
			o := m.Observations()[key(name)]
			return fmt.Sprintf("%s %s %t", o.Outcome, o.Scheme, o.LostTLS)
		}
		expect := func(when, name, want string) {
			if got := now(name); got != want {
				t.Errorf("%s, %s is %s, want %s", when, name, got, want)
			}
		}
		m.Set([]probe.Target{target("a")})
		pass(time.Millisecond)
		expect("plain from the start", "a", "ready http false")
		s.scheme = "https"
		checks(s, "a", 1)
		expect("with TLS", "a", "ready https false")
		s.scheme = "http"
		s.set("a", backend.AuthRequired)
		checks(s, "a", 2)
		expect("after two plain answers", "a", "ready https false")
		checks(s, "a", 1)
		expect("after three plain answers", "a", "auth-required http true")
		s.set("a", backend.Unreachable)
		checks(s, "a", 3)
		s.set("a", backend.Ready)
		checks(s, "a", 1)
		expect("after an outage", "a", "ready http true")
		s.scheme = "https"
		checks(s, "a", 1)
		expect("with TLS again", "a", "ready https false")

		was := backend.Observation{Outcome: backend.Ready, Scheme: "https"}
		m.Remember(map[backend.Key]Record{key("b"): {Port: 9090, Observation: was}, key("fixed"): {Port: 9090, Observation: was}})
		s.scheme = "http"
		s.set("b", backend.Ready)
		m.Set([]probe.Target{target("b"), fixed})
		pass(time.Millisecond)
		expect("after a restart", "b", "ready https false")
		expect("after its owner has set the scheme", "fixed", "ready http false")
		checks(s, "b", 2)
		expect("after a restart and three plain answers", "b", "ready http true")
	})
}

func TestRollingRestartIsOneFailure(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	s := newScript("a")
	run(t, s, usual, func(m *Monitor) {
		m.Set([]probe.Target{target("a")})
		pass(time.Millisecond)
		s.set("a", backend.NoEndpoints)
		for i := range 10 { // each change of its endpoints has it probed
			changed := target("a")
			changed.Endpoints = &backend.Endpoints{FQDN: i%2 == 0}
			m.Set([]probe.Target{changed})
			pass(time.Second)
		}
		if n := s.count("a"); n < 10 {
			t.Fatalf("probed %d times, want once for each change", n)
		}
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("after ten failures within ten seconds: %q, want it kept", got)
		}
	})
}

func TestSetProbesOnlyWhatChanged(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript("a", "b")
	run(t, s, usual, func(m *Monitor) {
		a, b := target("a"), target("b")
		m.Set([]probe.Target{a, b})
		pass(time.Millisecond)
		moved := target("b")
		moved.Candidate.PortNumber = 9091
		s.set("b", backend.WrongIdentity)
		m.Set([]probe.Target{a, moved})
		if outcome(m, "b") == backend.Ready { // the new port may have answered already, but not so
			t.Error("what was seen of b at its old port still counts")
		}
		pass(time.Millisecond)
		if s.count("a") != 1 || s.count("b") != 2 {
			t.Errorf("probed a %d times and b %d times, want 1 and 2", s.count("a"), s.count("b"))
		}
		if got := outcome(m, "b"); got != backend.WrongIdentity {
			t.Errorf("b: %q: a changed match is withdrawn at once", got)
		}
		m.Set([]probe.Target{moved})
		if _, known := m.Observations()[key("a")]; known {
			t.Error("a is gone and still known")
		}
	})
}

func TestRemembered(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	s := newScript()
	s.set("a", backend.Unreachable)
	s.set("moved", backend.Unreachable)
	run(t, s, usual, func(m *Monitor) {
		was := backend.Observation{Outcome: backend.Ready, Path: "/prometheus", Scheme: "http"}
		m.Remember(map[backend.Key]Record{
			key("a"):     {Port: 9090, Observation: was},
			key("moved"): {Port: 80, Observation: was},
		})
		m.Set([]probe.Target{target("a"), target("moved")})
		if o := m.Observations()[key("a")]; o.Outcome != backend.Ready || o.Path != "/prometheus" {
			t.Errorf("before its first probe: %+v, want what was published", o)
		}
		if outcome(m, "moved") == backend.Ready {
			t.Error("what was published under another port counts")
		}
		pass(45 * time.Second)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("after a restart and two failures: %q, want it kept until the third", got)
		}
		pass(35 * time.Second)
		if got := outcome(m, "a"); got != backend.Unreachable {
			t.Errorf("after a restart and three failures: %q", got)
		}
	})
}

// What is published no more must not come back with a Service of the same name that nobody has proven.
func TestRememberedOnlyWhilePublished(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	s := newScript()
	s.set("a", backend.Unreachable)
	run(t, s, usual, func(m *Monitor) {
		was := backend.Observation{Outcome: backend.Ready, Scheme: "http"}
		m.Remember(map[backend.Key]Record{key("a"): {Port: 9090, Observation: was}})
		m.Remember(map[backend.Key]Record{key("b"): {Port: 9090, Observation: was}})
		m.Set([]probe.Target{target("a")})
		pass(time.Second)
		if got := outcome(m, "a"); got != backend.Unreachable {
			t.Errorf("a was withdrawn before: %q", got)
		}
	})
}

// Whoever mends a Service that led to something that hangs does not wait for that.
func TestChangedTargetDoesNotWait(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript("a")
	s.takes["a"] = time.Minute
	run(t, s, usual, func(m *Monitor) {
		m.Set([]probe.Target{target("a")})
		pass(time.Second)
		s.takes["a"] = 0
		mended := target("a")
		mended.Candidate.PortNumber = 9091
		m.Set([]probe.Target{mended})
		pass(time.Second)
		if got := outcome(m, "a"); got != backend.Ready || s.now != 0 {
			t.Errorf("a second after it was mended: %q, %d probes run", got, s.now)
		}
		s.takes["a"] = time.Minute
		m.Recheck()
		pass(time.Second)
		m.Set(nil)
		pass(time.Second)
		if s.now != 0 {
			t.Error("what is gone is still asked")
		}
	})
}

// Backends that were found together are not always checked together, and each about once in an interval.
func TestChecksSpread(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript()
	run(t, s, usual, func(m *Monitor) {
		targets := many("a", 40)
		for _, x := range targets {
			s.set(x.Candidate.Service.Name, backend.Ready)
		}
		m.Set(targets)
		again := func(after time.Duration) (n int) {
			pass(after)
			for _, x := range targets {
				n += s.count(x.Candidate.Service.Name)
			}
			return n - len(targets)
		}
		if n := again(26 * time.Second); n != 0 {
			t.Errorf("%d are checked again within 26 s", n)
		}
		if n := again(4 * time.Second); n == 0 || n == len(targets) {
			t.Errorf("%d of %d are checked again within an interval", n, len(targets))
		}
		if n := again(4 * time.Second); n != len(targets) {
			t.Errorf("%d of %d are checked again within an interval and a tenth", n, len(targets))
		}
	})
}

func TestFollowerAsksLess(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	s := newScript("a")
	run(t, s, usual, func(m *Monitor) {
		m.SetFactor(4)
		m.Set([]probe.Target{target("a")})
		pass(95 * time.Second)
		if n := s.count("a"); n != 1 {
			t.Errorf("probed %d times in 95 s, want once", n)
		}
		m.SetFactor(1)
		pass(35 * time.Second)
		if n := s.count("a"); n != 2 {
			t.Errorf("probed %d times, want a second time within an interval of leading", n)
		}
	})
}

// Services change while probes begin; the race detector sees whether they get in each other's way.
func TestChangesWhileProbesBegin(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	s := newScript("a")
	run(t, s, usual, func(m *Monitor) {
		for range 2000 {
			m.Set([]probe.Target{target("a"), target("b")})
		}
		pass(time.Second)
		if got := outcome(m, "a"); got != backend.Ready {
			t.Errorf("after many changes: %q", got)
		}
	})
}

func TestRecheckIsOverWhenAllWereAsked(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	s := newScript()
	for _, n := range []string{"a", "b", "gone"} {
		s.set(n, backend.Ready)
	}
	run(t, s, usual, func(m *Monitor) {
		if !over(m.Recheck()) {
			t.Error("nothing to ask, and it is not over")
		}
		all := []probe.Target{target("a"), target("b"), target("gone")}
		m.Set(all)
		pass(time.Second)
		s.takes["b"], s.takes["gone"] = 3*time.Second, time.Hour
		asked := m.Recheck()
		pass(time.Second)
		m.Set(all[:2])
		pass(time.Second)
		if over(asked) {
			t.Error("it is over before b has answered")
		}
		pass(2 * time.Second)
		if !over(asked) || s.count("a") != 2 {
			t.Errorf("over: %v, a was asked %d times, want twice", over(asked), s.count("a"))
		}
	})
}

// What answers only a part keeps a new backend out, and withdraws none that is published. That it does so is reported.
func TestDegraded(t *testing.T) {
	t.Attr("req", "DTS-PRB-1")
	s := newScript("worked")
	s.degraded = "its health is red"
	s.set("new", backend.NotReady)
	s.set("known", backend.NotReady)
	run(t, s, usual, func(m *Monitor) {
		m.Remember(map[backend.Key]Record{key("known"): {Port: 9090, Observation: backend.Observation{Outcome: backend.Ready}}})
		m.Set([]probe.Target{target("new"), target("known"), target("worked")})
		pass(time.Millisecond)
		over(m.Changed())
		s.set("worked", backend.NotReady)
		checks(s, "worked", 1)
		if !over(m.Changed()) {
			t.Error("nobody is told that a published one is degraded")
		}
		pass(10 * time.Minute)
		for name, want := range map[string]backend.Outcome{"new": backend.NotReady, "known": backend.Ready, "worked": backend.Ready} {
			if o := m.Observations()[key(name)]; o.Outcome != want || o.Degraded == "" {
				t.Errorf("%s: %s, degraded %q; want %s", name, o.Outcome, o.Degraded, want)
			}
		}
		over(m.Changed())
		s.set("worked", backend.Ready)
		checks(s, "worked", 1)
		if !over(m.Changed()) {
			t.Error("nobody is told that it is not degraded any more")
		}
		s.set("worked", backend.Unreachable)
		pass(2 * time.Minute)
		if got := outcome(m, "worked"); got != backend.Unreachable {
			t.Errorf("one that does not answer at all any more: %s", got)
		}
	})
}
