package leader

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

func options(identity string) Options {
	return Options{
		Enabled: true, Namespace: "kubernaut-system", Name: "dynamic-toolset", Identity: identity,
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
	}
}

// look is the longest time between two looks of a replica that does not lead, at the default retry period, and some more.
const look = 4500 * time.Millisecond

// replica is an elector that runs.
type replica struct {
	*Elector
	access *access
	log    *log
	stop   func() // and wait
}

type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// count counts entries with a message.
func (l *log) count(message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), message)
}

// sees says whether a replica was told that another leads.
func (r *replica) sees(identity string) bool {
	return r.log.count(`"another replica leads" identity=`+identity) > 0
}

func start(t *testing.T, server *apiServer, identity string) *replica {
	t.Helper()
	return startWith(t, server, options(identity))
}

func startWith(t *testing.T, server *apiServer, o Options) *replica {
	t.Helper()
	r := &replica{access: &access{server: server, pauses: map[string]*pause{}}, log: &log{}}
	o.Log = slog.New(slog.NewTextHandler(r.log, nil))
	e, err := New(r.access, o)
	if err != nil {
		t.Fatal(err)
	}
	r.Elector = e
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	r.stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(r.stop)
	return r
}

// within waits for a condition and says how long it took.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !ok() {
		if time.Since(begin) > limit {
			t.Fatalf("%s: not within %s", what, limit)
		}
		<-time.After(10 * time.Millisecond)
	}
	return time.Since(begin)
}

func (r *replica) told() bool {
	synctest.Wait()
	select {
	case <-r.Changed():
		return true
	default:
		return false
	}
}

func TestAcquireAndRelease(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	t.Attr("req", "DTS-RUN-4")
	synctest.Test(t, func(t *testing.T) {
		server := &apiServer{}
		a := start(t, server, "a")
		within(t, time.Second, "the first replica leads", a.Leading)
		if !a.told() {
			t.Error("not told")
		}
		b := start(t, server, "b")
		within(t, 3*time.Second, "the second sees the first", func() bool { return b.sees("a") })
		<-time.After(10 * time.Minute)
		if !a.Leading() || b.Leading() || a.told() {
			t.Errorf("after ten minutes: a %v, b %v", a.Leading(), b.Leading())
		}

		a.stop()
		if a.Leading() || server.holder() != "" || !a.told() {
			t.Errorf("after the stop: leading %v, lease held by %q", a.Leading(), server.holder())
		}
		// Released, so that nobody has to wait for the lease to run out.
		within(t, look, "the second takes over", b.Leading)
		if !b.told() {
			t.Error("not told")
		}
	})
}

func TestLoseAndReacquire(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		server := &apiServer{}
		a := start(t, server, "a")
		within(t, time.Second, "it leads", a.Leading)
		a.told()
		server.take("someone else")
		within(t, 4*time.Second, "it notices", func() bool { return !a.Leading() })
		if !a.told() || !a.sees(`"someone else"`) {
			t.Error("not told")
		}
		if server.holder() != "someone else" {
			t.Errorf("the lease was taken from its holder: %q", server.holder())
		}
		// The other never renews: the election has gone on.
		took := within(t, 40*time.Second, "it leads again", a.Leading)
		if took < 10*time.Second {
			t.Errorf("led again after %s, within the other's lease", took)
		}
		if !a.told() {
			t.Error("not told")
		}
		for message, want := range map[string]int{
			`"this replica leads"`: 2, `"this replica no longer leads"`: 1, `"another replica leads"`: 1, "level=ERROR": 0,
		} {
			if got := a.log.count(message); got != want {
				t.Errorf("logged %s %d times, want %d:\n%s", message, got, want, &a.log.b)
			}
		}
	})
}

// Replicas that start at once all find no Lease, and all create it.
func TestCreateRace(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		server := &apiServer{}
		all := []*replica{start(t, server, "a"), start(t, server, "b"), start(t, server, "c")}
		<-time.After(time.Minute)
		led := 0
		for _, r := range all {
			led += r.log.count(`"this replica leads"`)
		}
		if led != 1 {
			t.Errorf("%d replicas have led", led)
		}
	})
}

// A leader that cannot renew must have stopped to write before its lease has run out for the others.
func TestCutOff(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	t.Attr("req", "DTS-RUN-5")
	for name, cut := range map[string]func(*access){
		"refused": func(x *access) { x.err = errors.New("connection refused") },
		"hangs":   func(x *access) { x.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &apiServer{}
				a := start(t, server, "a")
				within(t, time.Second, "it leads", a.Leading)
				<-time.After(time.Minute)
				a.access.set(cut)
				took := within(t, 10*time.Second+50*time.Millisecond, "it stops to lead", func() bool { return !a.Leading() })
				if took < 7*time.Second {
					t.Errorf("stopped to lead after %s; one failed renewal must not cost it", took)
				}
				if !a.told() {
					t.Error("not told")
				}
				<-time.After(10 * time.Minute)
				a.access.set(func(x *access) { x.err, x.hang = nil, false })
				within(t, 20*time.Second, "it leads again", a.Leading)
				if away, back := a.log.count("cannot be reached"), a.log.count("reached again"); away != 1 || back != 1 {
					t.Errorf("logged %d times away, %d times back; want once each:\n%s", away, back, &a.log.b)
				}
			})
		})
	}
}

// A short failure costs nothing.
func TestOneFailedRenewal(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		a := start(t, &apiServer{}, "a")
		within(t, time.Second, "it leads", a.Leading)
		a.told()
		for range 20 {
			a.access.set(func(x *access) { x.err = errors.New("etcd is slow") })
			<-time.After(5 * time.Second)
			a.access.set(func(x *access) { x.err = nil })
			<-time.After(3 * time.Second)
			if !a.Leading() || a.told() {
				t.Fatal("a short failure cost the leadership")
			}
		}
	})
}

func TestAwayAtStart(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	synctest.Test(t, func(t *testing.T) {
		server := &apiServer{}
		a := start(t, server, "a")
		a.access.set(func(x *access) { x.err = errors.New("connection refused") })
		<-time.After(time.Hour)
		if a.Leading() || a.log.count("level=") != 1 {
			t.Errorf("leading %v after an hour without an API server; logged\n%s", a.Leading(), &a.log.b)
		}
		a.access.set(func(x *access) { x.err = nil })
		within(t, 5*time.Second, "it leads", a.Leading)
	})
}

func TestLeaseDeleted(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		server := &apiServer{}
		a := start(t, server, "a")
		within(t, time.Second, "it leads", a.Leading)
		a.told()
		server.remove()
		within(t, 5*time.Second, "the lease is back", func() bool { return server.holder() == "a" })
		if !a.Leading() {
			t.Error("does not lead, and has the lease")
		}
	})
}

// client-go releases, after a loss, what it believes to be its own; by then it may be another's.
func TestReleaseLeavesOthersAlone(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		server := &apiServer{}
		a := start(t, server, "a")
		within(t, time.Second, "it leads", a.Leading)
		a.access.set(func(x *access) { x.hang = true })
		<-time.After(11 * time.Second)
		server.take("b")
		a.access.set(func(x *access) { x.hang = false })
		<-time.After(8 * time.Second)
		if got := server.holder(); got != "b" || server.releases != 0 {
			t.Errorf("lease held by %q, %d releases; want b, 0", got, server.releases)
		}
	})
}

// A mistake in a library ends neither the process nor the election.
func TestPanic(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	synctest.Test(t, func(t *testing.T) {
		a := start(t, &apiServer{}, "a")
		within(t, time.Second, "it leads", a.Leading)
		a.access.set(func(x *access) { x.panic = true })
		<-time.After(3 * time.Second)
		if a.Leading() {
			t.Error("still leading without an election")
		}
		a.access.set(func(x *access) { x.panic = false })
		within(t, 5*time.Second, "it leads again", a.Leading)
	})
}

// Whatever happens to requests, no two lead at once, and as soon as all is well one does. (Someone who deletes the Lease
// makes it free at once for a replica that has not seen it, whoever leads; writes are fenced for that.)
func TestNeverTwo(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1)) // the same each time
			server := &apiServer{}
			all := []*replica{start(t, server, "a"), start(t, server, "b"), start(t, server, "c")}
			leaders := func() (names []string) {
				for _, r := range all {
					if r.Leading() {
						names = append(names, r.options.Identity)
					}
				}
				return names
			}
			watch := func(d time.Duration) {
				for range int(d / (50 * time.Millisecond)) {
					<-time.After(50 * time.Millisecond)
					if l := leaders(); len(l) > 1 {
						t.Fatalf("seed %d: %v lead at once", seed, l)
					}
				}
			}
			for range 60 {
				r := all[random.IntN(len(all))]
				switch random.IntN(4) {
				case 0:
					r.access.set(func(x *access) { x.err = errors.New("connection refused") })
				case 1:
					r.access.set(func(x *access) { x.hang = true })
				case 2:
					r.access.set(func(x *access) { x.err, x.hang = nil, false })
				case 3:
					watch(30 * time.Second)
				}
				watch(time.Duration(random.IntN(8000)) * time.Millisecond)
			}
			for _, r := range all {
				r.access.set(func(x *access) { x.err, x.hang = nil, false })
			}
			watch(time.Minute)
			if l := leaders(); len(l) != 1 {
				t.Errorf("seed %d: %v lead in the end", seed, l)
			}
		})
	}
}

func TestDisabled(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		told := &log{}
		e, err := New(nil, Options{Identity: "a", Log: slog.New(slog.NewTextHandler(told, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if !e.Leading() {
			t.Error("does not lead before Run")
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			e.Run(ctx)
			close(done)
		}()
		<-time.After(time.Hour)
		if !e.Leading() {
			t.Error("does not lead")
		}
		cancel()
		<-done
		if e.Leading() {
			t.Error("leads after the stop")
		}
		if told.b.Len() > 0 {
			t.Errorf("nobody was elected, and it is logged: %s", told.b.String())
		}
	})
}

func TestOptions(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	for name, change := range map[string]func(*Options){
		"no name":                   func(o *Options) { o.Name = "" },
		"no namespace":              func(o *Options) { o.Namespace = "" },
		"no identity":               func(o *Options) { o.Identity = "" },
		"long identity":             func(o *Options) { o.Identity = strings.Repeat("x", 129) },
		"lease within the deadline": func(o *Options) { o.LeaseDuration = o.RenewDeadline },
		"equal in whole seconds":    func(o *Options) { o.LeaseDuration = 10900 * time.Millisecond },
		"deadline within a retry":   func(o *Options) { o.RetryPeriod = 9 * time.Second },
		"no retry":                  func(o *Options) { o.RetryPeriod = 0 },
	} {
		o := options("a")
		change(&o)
		if _, err := New(&access{}, o); err == nil || !strings.Contains(err.Error(), "leader election: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	a, b := Identity(), Identity()
	if a == b || !strings.Contains(a, "_") || len(a) > 128 {
		t.Errorf("identities %q and %q", a, b)
	}
}

func TestClient(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"dynamic-toolset"}}`)
	}))
	defer server.Close()
	config := &rest.Config{Host: server.URL, QPS: 1, Timeout: time.Hour}
	client, err := Client(config, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if config.Timeout != time.Hour || config.Dial != nil || len(config.NextProtos) > 0 {
		t.Errorf("the caller's configuration was changed: %+v", config)
	}
	// client-go's own limit, 10 requests and 5 more each second, would make this take 18 s.
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	for range 100 {
		if _, err := client.Leases("kubernaut-system").Get(ctx, "dynamic-toolset", metav1.GetOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}
