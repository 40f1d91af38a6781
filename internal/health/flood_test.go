package health

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// network is what the real Prober finds behind addresses, on synctest's clock.
type network struct {
	mu      sync.Mutex
	other   string            // what addresses do that are not in does
	does    map[string]string // address -> "answer", "refuse" or "hang"
	address map[backend.Ref]string
	busy    map[string]int // by namespace and address
	wrong   []string
}

func newNetwork(other string) *network {
	return &network{other: other, does: map[string]string{}, address: map[backend.Ref]string{}, busy: map[string]int{}}
}

func (n *network) set(address, does string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.does[address] = does
}

// target is a Service with that ClusterIP, or a headless one with it in an EndpointSlice.
func (n *network) target(namespace, name, address string, headless bool) probe.Target {
	n.mu.Lock()
	defer n.mu.Unlock()
	ref := backend.Ref{Namespace: namespace, Name: name}
	n.address[ref] = address
	t := probe.Target{
		Candidate: &backend.Candidate{
			Service: &backend.Service{Ref: ref, ClusterIP: address}, Type: backend.TypeCustom,
			Host: name + "." + namespace + ".svc.cluster.local", PortNumber: 80, Scheme: "http",
		},
		Endpoints: &backend.Endpoints{Slices: []backend.EndpointSlice{{Ready: []netip.Addr{netip.MustParseAddr(address)}}}},
	}
	if headless {
		t.Candidate.Service.ClusterIP = "None"
	}
	return t
}

type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (n *network) to(c *backend.Candidate) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		at := n.address[c.Service.Ref]
		does := n.does[at]
		if does == "" {
			does = n.other
		}
		if strings.HasSuffix(r.URL.Path, "/slow") {
			does = "hang"
		}
		key := c.Service.Namespace + " " + at
		n.busy[key]++
		n.busy["all"]++
		if n.busy[key] > 1 || n.busy["all"] > usualSlots {
			n.wrong = append(n.wrong, fmt.Sprintf("%d at once at %s, %d at all", n.busy[key], key, n.busy["all"]))
		}
		defer func() {
			n.busy[key]--
			n.busy["all"]--
		}()
		switch does {
		case "refuse":
			return nil, syscall.ECONNREFUSED
		case "hang":
			n.mu.Unlock()
			<-r.Context().Done()
			n.mu.Lock()
			return nil, r.Context().Err()
		}
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("fine")), Request: r}, nil
	})
}

const usualSlots = 256

// delays are how long it took until new backends were seen, and the dead ones were withdrawn, in the order of deaths.
type delays struct {
	first     [3]time.Duration
	withdrawn [len(deaths)]time.Duration
}

// deaths are what a backend that dies may do from then on.
var deaths = [...]string{"refuse", "hang"}

const floodBegins = time.Second

func victimAddress(i int) string { return fmt.Sprintf("10.1.0.%d", i+1) }

func newAddress(i int) string { return fmt.Sprintf("10.1.1.%d", i+1) }

// measure has backends die, one of each death, and others appear, while there are the targets of a flood, which change every churn (0: never).
func measure(t *testing.T, n *network, flood []probe.Target, churn time.Duration) (d delays) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		prober, err := probe.New(probe.Options{RoundTripper: n.to})
		if err != nil {
			t.Fatal(err)
		}
		m := New(prober, Options{Interval: 30 * time.Second, Threshold: 3, Concurrency: usualSlots, Address: probe.Address})
		m.jitter = func(d time.Duration) time.Duration { return d }
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { m.Run(ctx) })

		var targets []probe.Target
		for i, death := range deaths {
			n.set(victimAddress(i), "answer")
			targets = append(targets, n.target("shop", death, victimAddress(i), false))
		}
		m.Set(targets)
		pass(floodBegins)
		for i, death := range deaths {
			n.set(victimAddress(i), death)
		}
		targets = append(targets, flood...)
		m.Set(targets)
		begin := time.Now()
		comes := [len(d.first)]time.Duration{500 * time.Millisecond, 20 * time.Second, 75 * time.Second}
		for next := churn; slices.Contains(d.withdrawn[:], 0) || slices.Contains(d.first[:], 0); pass(50 * time.Millisecond) {
			now := time.Since(begin)
			if now > 20*time.Minute {
				t.Fatal("it takes longer than twenty minutes")
			}
			for i, at := range comes {
				name := fmt.Sprint("new", i)
				if now >= at && n.address[backend.Ref{Namespace: "fresh", Name: name}] == "" {
					n.set(newAddress(i), "answer")
					targets = append(targets, n.target("fresh", name, newAddress(i), false))
					m.Set(targets)
				}
				if d.first[i] == 0 && m.knows(backend.Ref{Namespace: "fresh", Name: name}, true) {
					d.first[i] = now - at
				}
			}
			for i, death := range deaths {
				if d.withdrawn[i] == 0 && m.knows(backend.Ref{Namespace: "shop", Name: death}, false) {
					d.withdrawn[i] = now
				}
			}
			if churn > 0 && now >= next {
				next = now + churn
				for i := range flood {
					changed := *targets[len(deaths)+i].Candidate
					targets[len(deaths)+i].Candidate = &changed
				}
				m.Set(targets)
			}
		}
		stop()
		running.Wait()
	})
	for _, w := range n.wrong {
		t.Error(w)
	}
	return d
}

// knows reports whether the target is known, as up or not.
func (m *Monitor) knows(ref backend.Ref, up bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[backend.Key{Ref: ref, Type: backend.TypeCustom}]
	return e != nil && e.tried && (e.good != nil) == up
}

const floodSize = 3000

// One owner's dead Services, or Services that lead to another's backend, delay nobody.
func TestFloodDelaysNobody(t *testing.T) {
	t.Attr("req", "DTS-PRB-6")
	without := measure(t, newNetwork("refuse"), nil, 0)
	for _, tt := range []struct {
		name   string
		does   string // what is behind the flood
		spread int    // over so many namespaces
		twins  bool   // of the others' addresses
		slow   bool   // of a path that hangs, though the backend works
		churn  time.Duration
	}{
		{name: "refused", does: "refuse", spread: 1},
		{name: "silent", does: "hang", spread: 1},
		{name: "refused, five namespaces", does: "refuse", spread: 5},
		{name: "silent, five namespaces", does: "hang", spread: 5},
		{name: "refused, changing", does: "refuse", spread: 1, churn: 2 * time.Second},
		{name: "silent, changing", does: "hang", spread: 1, churn: 2 * time.Second},
		{name: "twins", does: "hang", spread: 1, twins: true},
		{name: "twins, five namespaces", does: "refuse", spread: 5, twins: true},
		{name: "twins of a slow path", does: "hang", spread: 1, twins: true, slow: true},
		{name: "twins of a slow path, five namespaces", does: "refuse", spread: 5, twins: true, slow: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNetwork(tt.does)
			var flood []probe.Target
			for i := range floodSize {
				address := fmt.Sprintf("10.2.%d.%d", i/250, i%250+1)
				if tt.twins {
					address = []string{victimAddress(0), victimAddress(1), newAddress(0), newAddress(1), newAddress(2)}[i/tt.spread%5]
				}
				target := n.target(fmt.Sprint("evil", i%tt.spread), fmt.Sprint("f", i), address, tt.twins)
				if tt.slow {
					target.Candidate.HealthPath = "/slow"
				}
				flood = append(flood, target)
			}
			got := measure(t, n, flood, tt.churn)
			t.Logf("without: %v, with: %v", without, got)
			const most = 2 * time.Second
			for i := range got.first {
				if late := got.first[i] - without.first[i]; late > most {
					t.Errorf("new backend %d: seen %s later", i, late)
				}
			}
			for i, death := range deaths {
				if late := got.withdrawn[i] - without.withdrawn[i]; late > most {
					t.Errorf("dead backend (%s): withdrawn %s later", death, late)
				}
			}
		})
	}
}
