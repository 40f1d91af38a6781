package cluster

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

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func electionOptions(identity string) ElectionOptions {
	return ElectionOptions{
		Lease: backend.Ref{Namespace: "kubernaut-system", Name: "dynamic-toolset"}, Identity: identity,
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
	}
}

// look is the longest time between two looks of a replica that does not lead, at the default retry period, and some
// more.
const look = 4500 * time.Millisecond

// replica is an elector that runs.
type replica struct {
	*Elector
	access *leaseAccess
	log    *replicaLog
	stop   func() // and wait
}

type replicaLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *replicaLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// count counts entries with a message.
func (l *replicaLog) count(message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), message)
}

// sees says whether a replica was told that another leads.
func (r *replica) sees(identity string) bool {
	return r.log.count(`"another replica leads" identity=`+identity) > 0
}

func start(t *testing.T, server *leaseServer, identity string) *replica {
	t.Helper()
	return startWith(t, server, electionOptions(identity))
}

func startWith(t *testing.T, server *leaseServer, o ElectionOptions) *replica {
	t.Helper()
	r := &replica{access: &leaseAccess{server: server, pauses: map[string]*pause{}}, log: &replicaLog{}}
	o.Log = slog.New(slog.NewTextHandler(r.log, nil))
	r.Elector = NewElector(r.access, o)
	r.stop = elect(t, r.Elector)
	return r
}

// leader runs a replica that leads.
func leader(t *testing.T) (server *leaseServer, a *replica) {
	t.Helper()
	server = &leaseServer{}
	a = start(t, server, "a")
	within(t, time.Second, "it leads", a.Leading)
	a.told()
	return server, a
}

// pair runs two replicas for a minute: a leads, and b follows.
func pair(t *testing.T) (server *leaseServer, a, b *replica) {
	t.Helper()
	server, a = leader(t)
	b = start(t, server, "b")
	<-time.After(time.Minute)
	return server, a, b
}

// elect runs an elector until the test ends, or until stop, which waits for it.
func elect(t *testing.T, e *Elector) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var runs sync.WaitGroup
	runs.Go(func() { e.Run(ctx) })
	stop = func() {
		cancel()
		runs.Wait()
	}
	t.Cleanup(stop)
	return stop
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
	t.Attr("req", "DTS-RUN-2 DTS-RUN-4")
	synctest.Test(t, func(t *testing.T) {
		server := &leaseServer{}
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
		server, a := leader(t)
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
		server := &leaseServer{}
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
	t.Attr("req", "DTS-RUN-2 DTS-RUN-5")
	for name, cut := range map[string]func(*leaseAccess){
		"refused": func(x *leaseAccess) { x.err = errors.New("connection refused") },
		"hangs":   func(x *leaseAccess) { x.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, a := leader(t)
				<-time.After(time.Minute)
				a.access.set(cut)
				took := within(t, 10*time.Second+50*time.Millisecond, "it stops to lead", func() bool { return !a.Leading() })
				if took < 7*time.Second {
					t.Errorf("stopped to lead after %s; one failed renewal must not cost it", took)
				}
				within(t, 10*time.Second, "it is told", a.told)
				<-time.After(10 * time.Minute)
				a.access.set(func(x *leaseAccess) { x.err, x.hang = nil, false })
				within(t, 20*time.Second, "it leads again", a.Leading)
				if away, back := a.log.count("lease not reachable"), a.log.count("lease reachable again"); away != 1 || back != 1 {
					t.Errorf("logged %d times away, %d times back; want once each:\n%s", away, back, &a.log.b)
				}
			})
		})
	}
}

// Failures of less than the deadline cost nothing, however often.
func TestShortFailures(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		_, a := leader(t)
		for range 20 {
			a.access.set(func(x *leaseAccess) { x.err = errors.New("etcd is slow") })
			<-time.After(5 * time.Second)
			a.access.set(func(x *leaseAccess) { x.err = nil })
			<-time.After(3 * time.Second)
			if !a.Leading() || a.told() {
				t.Fatal("a short failure cost the leadership")
			}
		}
	})
}

// A replica that has lost the lease does not release it: by then it may be another's.
func TestReleaseLeavesOthersAlone(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		server, a := leader(t)
		a.access.set(func(x *leaseAccess) { x.hang = true })
		<-time.After(11 * time.Second)
		server.take("b")
		a.access.set(func(x *leaseAccess) { x.hang = false })
		a.stop()
		if got := server.holder(); got != "b" || server.releases != 0 {
			t.Errorf("lease held by %q, %d releases; want b, 0", got, server.releases)
		}
	})
}

// A mistake in a library ends neither the process nor the election.
func TestPanic(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	synctest.Test(t, func(t *testing.T) {
		_, a := leader(t)
		a.access.set(func(x *leaseAccess) { x.panic = true })
		<-time.After(3 * time.Second)
		if a.Leading() {
			t.Error("still leading without an election")
		}
		a.access.set(func(x *leaseAccess) { x.panic = false })
		within(t, 5*time.Second, "it leads again", a.Leading)
	})
}

// Whatever happens to requests, no two lead at once, and as soon as all is well one does. (Someone who deletes the
// Lease makes it free at once for a replica that has not seen it, whoever leads; writes are fenced for that.)
func TestNeverTwo(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1)) // the same each time
			server := &leaseServer{}
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
					r.access.set(func(x *leaseAccess) { x.err = errors.New("connection refused") })
				case 1:
					r.access.set(func(x *leaseAccess) { x.hang = true })
				case 2:
					r.access.set(func(x *leaseAccess) { x.err, x.hang = nil, false })
				case 3:
					watch(30 * time.Second)
				}
				watch(time.Duration(random.IntN(8000)) * time.Millisecond)
			}
			for _, r := range all {
				r.access.set(func(x *leaseAccess) { x.err, x.hang = nil, false })
			}
			watch(time.Minute)
			if l := leaders(); len(l) != 1 {
				t.Errorf("seed %d: %v lead in the end", seed, l)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	a, b := Identity(), Identity()
	if a == b || !strings.Contains(a, "_") || len(a) > 128 {
		t.Errorf("identities %q and %q", a, b)
	}
}

func TestLeaseClient(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"dynamic-toolset"}}`)
	}))
	defer server.Close()
	config := &rest.Config{Host: server.URL, QPS: 1, Timeout: time.Hour}
	client, err := LeaseClient(config, 10*time.Second)
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
