package agent

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// holmes stands for replicas of HolmesGPT, whose file appears after a while, as in a kubelet's mount.
type holmes struct {
	mu      sync.Mutex
	file    string // the marker in its file now
	loaded  string // the marker that it has loaded
	failing string // a toolset that fails
	answer  func(r *http.Request) *http.Response
	asked   map[string]int
}

func (h *holmes) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked == nil {
		h.asked = map[string]int{}
	}
	h.asked[r.Method]++
	if h.answer != nil {
		if response := h.answer(r); response != nil {
			return response, nil
		}
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	if r.Method == http.MethodPost {
		h.loaded = h.file
		return respond(http.StatusOK, `{"status": "ok", "component": "toolsets", "counts": {"toolsets_total": 3, "toolsets_enabled": 2}}`), nil
	}
	status, text := "enabled", ""
	if h.failing != "" {
		status, text = "failed", h.failing
	}
	body := fmt.Sprintf(`{"version": "0.45.0", "toolsets_summary": {"total": 2, "enabled": 1, "failed": 1, "disabled": 0}, "toolsets": [
		{"name": "prometheus/metrics", "enabled": true, "status": %q, "error": %q, "tool_count": 9}`, status, text)
	if h.loaded != "" {
		body += fmt.Sprintf(`, {"name": %q, "enabled": false, "status": "disabled", "tool_count": 0}`, h.loaded)
	}
	return respond(http.StatusOK, body+"]}"), nil
}

func (h *holmes) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func (h *holmes) count(method string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked[method]
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// pass lets time pass, on the clock of synctest.
func pass(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // as said

func document(generation string) Document {
	return Document{Generation: generation, Toolsets: map[string][]string{"grafana/dashboards": nil, "prometheus/metrics": {"a/prom", "b/prom"}}}
}

const replicaURL = "http://10.0.0.7:5050"

// newAgent makes an Agent beside one replica.
func newAgent(replica http.RoundTripper, report func(before, after *Replica)) *Agent {
	a := New(Options{Namespace: "holmes", Interval: 30 * time.Second, Forbids: allow, Report: report})
	a.client.http.Transport = replica
	a.Service(service("holmes").Ref, service("holmes"), slice("10.0.0.7"))
	return a
}

// start runs an Agent beside one replica.
func start(t *testing.T, replica http.RoundTripper) *Agent {
	t.Helper()
	a := newAgent(replica, nil)
	go a.Run(t.Context())
	return a
}

func service(namespace string) *backend.Service {
	app := map[string]string{"app": "holmes"}
	return &backend.Service{Ref: backend.Ref{Namespace: namespace, Name: "x-holmes"}, Labels: app, Selector: app, Ports: []backend.Port{
		{Name: "http", Number: 80, Protocol: "TCP", Target: intstr.FromInt32(5050)}}}
}

func slice(addresses ...string) *backend.Endpoints {
	s := backend.EndpointSlice{Ports: []backend.EndpointPort{{Name: "http", Number: 5050, Protocol: "TCP"}}}
	for _, a := range addresses {
		s.Ready = append(s.Ready, netip.MustParseAddr(a))
	}
	return &backend.Endpoints{Slices: []backend.EndpointSlice{s}}
}

func only(t *testing.T, a *Agent) Replica {
	t.Helper()
	synctest.Wait()
	s := a.State()
	if len(s.Replicas) != 1 {
		t.Fatalf("%d replicas, want one", len(s.Replicas))
	}
	return s.Replicas[0]
}

// TestLoop has a document published and loaded, with a mount that is late.
func TestLoop(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	synctest.Test(t, func(t *testing.T) {
		h := &holmes{}
		a := start(t, h)
		pass(time.Minute)
		synctest.Wait()
		if len(a.State().Replicas) != 0 || h.count(http.MethodGet) != 0 {
			t.Fatal("HolmesGPT is asked though nothing is published and nobody leads")
		}
		a.Published(document("generation/1"), true)
		if r := only(t, a); r.Outcome != NoDocument || r.Version != "0.45.0" || r.Count(StatusEnabled) != 1 {
			t.Errorf("without its file it is %s, version %s", r.Outcome, r.Version)
		}
		looks := func(d time.Duration) int {
			before := h.count(http.MethodGet)
			pass(d)
			return h.count(http.MethodGet) - before
		}
		if first, then := looks(20*time.Second), looks(40*time.Second); first < 10 || then > 10 { // reloads included
			t.Errorf("%d looks in 20 seconds, then %d in 40; want one in two, then one in ten", first, then)
		}
		h.set(func() { h.file = "generation/1" })
		pass(10 * time.Second)
		if r := only(t, a); r.Outcome != Loaded || r.Generation != "generation/1" {
			t.Errorf("ten seconds after the file came it is %s with %s", r.Outcome, r.Generation)
		}
		if n := h.count(http.MethodPost); n < 5 || n > 8 {
			t.Errorf("%d reloads in 70 seconds, want one in ten", n)
		}

		// A second document is loaded at once where the file is there at once.
		h.set(func() { h.file = "generation/2" })
		a.Published(document("generation/2"), true)
		if r := only(t, a); r.Outcome != Loaded {
			pass(reloadEvery)
			if r = only(t, a); r.Outcome != Loaded {
				t.Errorf("it is %s", r.Outcome)
			}
		}

		// One that is not mounted is asked for three minutes, and then as often as any other.
		pass(time.Second)
		before := h.count(http.MethodPost)
		a.Published(document("generation/3"), true)
		pass(time.Hour)
		if r := only(t, a); r.Outcome != Waiting || r.Generation != "generation/2" {
			t.Errorf("it is %s with %s", r.Outcome, r.Generation)
		}
		s := a.State()
		if r := s.Replicas[0]; !s.Late(&r) || r.Published.IsZero() || !r.Published.Before(s.Published) {
			t.Errorf("late: %t; what it has was published at %s, what it should have at %s", s.Late(&r), r.Published, s.Published)
		}
		if n := h.count(http.MethodPost) - before; n > 19 {
			t.Errorf("%d reloads within an hour", n)
		}

		// A replica of the service that no longer leads is silent.
		a.Published(document("generation/3"), false)
		synctest.Wait()
		before = h.count(http.MethodGet)
		pass(time.Hour)
		if n := h.count(http.MethodGet); n != before || len(a.State().Replicas) != 0 {
			t.Errorf("%d requests of one that does not lead", n-before)
		}
	})
}

// TestAnswers has every kind of answer.
func TestAnswers(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	always := func(status int, body string) func(*http.Request) *http.Response {
		return func(*http.Request) *http.Response { return respond(status, body) }
	}
	tests := []struct {
		name   string
		answer func(*http.Request) *http.Response
		want   Outcome
		detail string
	}{
		{"away", func(*http.Request) *http.Response { return nil }, Away, "connection refused"},
		{"older than the requests", always(404, `{"detail":"Not Found"}`), TooOld, "Not Found"},
		{"older, but reloads", func(r *http.Request) *http.Response {
			if r.Method == http.MethodPost {
				return respond(200, `{"status":"ok","counts":{"toolsets_total":5,"toolsets_enabled":4}}`)
			}
			return respond(404, "")
		}, TooOld, "404"},
		{"wants a key", always(401, `{"detail":"Invalid or missing API key"}`), WantsKey, "Invalid or missing"},
		{"refuses the key", always(403, ""), WantsKey, "403"},
		{"cannot load the file", func(r *http.Request) *http.Response {
			if r.Method == http.MethodPost {
				return respond(500, `{"detail":"while parsing a block mapping"}`)
			}
			return respond(200, `{"version":"0.45.0","toolsets":[]}`)
		}, Failed, "block mapping"},
		{"cannot load the file, and keeps nothing", func(r *http.Request) *http.Response {
			if r.Method == http.MethodPost {
				return respond(500, `{"detail":"while parsing a block mapping"}`)
			}
			return respond(500, "Internal Server Error")
		}, Failed, "block mapping"},
		{"a redirect", always(302, ""), Unreadable, "302"},
		{"a page", always(200, "<html>"), Unreadable, "not an answer"},
		{"other JSON", always(200, `{"version":"1"}`), Unreadable, "not an answer"},
		{"a list", always(200, `[]`), Unreadable, "not an answer"},
		{"too much", always(200, strings.Repeat(" ", maxPart+1)), Unreadable, "256 KiB"},
		{"too many toolsets", always(200, `{"version":"1","toolsets":[{}`+strings.Repeat(`,{}`, maxToolsets)+`]}`), Unreadable, "over 10000"},
		{"more than an answer", always(200, `{"version":"1","toolsets":[]} {}`), Unreadable, "more than one value"},
		{"less than an answer", always(200, `{"version":"1","toolsets":[{}`), Unreadable, "EOF"},
		{"toolsets that are none", always(200, `{"version":"1","toolsets":{"a":{}}}`), Unreadable, "not an answer"},
		{"text that is not to be seen", always(500, `{"detail":"a\u001b[31m\u202eb"}`), Failed, "500"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &holmes{answer: tt.answer}
				a := start(t, h)
				a.Published(document("generation/1"), true)
				for _, after := range []time.Duration{0, 5 * time.Second, time.Hour} {
					pass(after)
					r := only(t, a)
					if r.Outcome != tt.want || !strings.Contains(r.Detail, tt.detail) {
						t.Errorf("%s later it is %s (%s), want %s (%s)", after, r.Outcome, r.Detail, tt.want, tt.detail)
					}
					if strings.ContainsAny(r.Detail, "\x1b\u202e") {
						t.Errorf("detail %q", r.Detail)
					}
				}
				if n := h.count(http.MethodPost); n > 19 {
					t.Errorf("%d reloads within an hour", n)
				}
			})
		})
	}
}

// TestReports has each change of a replica reported.
func TestReports(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	synctest.Test(t, func(t *testing.T) {
		h := &holmes{file: "generation/1", loaded: "generation/1"}
		var mu sync.Mutex
		var list []string
		a := New(Options{URL: replicaURL + "/", Interval: 30 * time.Second, Forbids: allow,
			Report: func(before, after *Replica) {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case before == nil:
					list = append(list, "new")
				case after == nil:
					list = append(list, "gone")
				case before.Toolsets[0].Status != after.Toolsets[0].Status:
					list = append(list, after.Toolsets[0].Status+": "+after.Toolsets[0].Error)
				}
			}})
		a.client.http.Transport = h
		go a.Run(t.Context())
		a.Published(document("generation/1"), true)
		pass(time.Minute)
		h.set(func() { h.failing = "ENV var replacement GRAFANA_API_KEY does not exist" })
		pass(time.Minute)
		h.set(func() { h.failing = "" })
		pass(time.Minute)
		a.Published(document("generation/1"), false)
		synctest.Wait()
		want := []string{"new", "failed: ENV var replacement GRAFANA_API_KEY does not exist", "enabled: ", "gone"}
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff(want, list); diff != "" {
			t.Error(diff)
		}
	})
}

// TestEndpointThatComesAndGoes is told to reload no oftener than any other, and is listed while it is there.
func TestEndpointThatComesAndGoes(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	synctest.Test(t, func(t *testing.T) {
		h := &holmes{}
		a := start(t, h)
		a.Published(document("generation/1"), true)
		ref := service("holmes").Ref
		for range 60 {
			a.Service(ref, nil, nil)
			pass(500 * time.Millisecond)
			a.Service(ref, service("holmes"), slice("10.0.0.7"))
			pass(500 * time.Millisecond)
			only(t, a)
		}
		if n := h.count(http.MethodPost); n < 2 || n > 7 {
			t.Errorf("%d reloads in a minute, want one in ten seconds", n)
		}
	})
}

// TestAsk asks each replica once, and has none reload.
func TestAsk(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	h := &holmes{loaded: "generation/1"}
	for name, tt := range map[string]struct {
		document Document
		want     Outcome
	}{
		"the published one": {document("generation/1"), Loaded},
		"an older one":      {document("generation/2"), Waiting},
		"not known which":   {document(""), Loaded},
	} {
		t.Run(name, func(t *testing.T) {
			a := New(Options{Namespace: "holmes", Forbids: allow, Proxy: h})
			a.Service(service("holmes").Ref, service("holmes"), slice("10.0.0.7", "10.0.0.8"))
			s := a.Ask(t.Context(), tt.document)
			if len(s.Replicas) != 1 || s.Replicas[0].URL != "http://x-holmes.holmes.svc:80" || s.Replicas[0].Outcome != tt.want {
				t.Errorf("%+v", s.Replicas)
			}
			if n := h.count(http.MethodPost); n != 0 {
				t.Errorf("%d reloads", n)
			}
			a = New(Options{Namespace: "holmes", Forbids: allow})
			a.client.http.Transport = h
			a.Service(service("holmes").Ref, service("holmes"), slice("10.0.0.7", "10.0.0.8"))
			if s := a.Ask(t.Context(), tt.document); len(s.Replicas) != 2 || s.Replicas[1].Outcome != tt.want {
				t.Errorf("directly: %+v", s.Replicas)
			}
		})
	}
}

// TestFind is which Services are HolmesGPT's.
func TestFind(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	auto := Options{Namespace: "holmes"}
	named := Options{Namespace: "holmes", Service: backend.Ref{Namespace: "ai", Name: "x-holmes"}}
	other := service("holmes")
	other.Selector = map[string]string{"app": "miner"}
	byName := service("holmes")
	byName.Ports[0].Target = intstr.FromString("http")
	bothFamilies := slice("10.0.0.7", "10.0.0.8")
	bothFamilies.Slices = append(bothFamilies.Slices, slice("fd00::7", "fd00::8").Slices...)
	sixFirst := slice("fd00::7", "fd00::8")
	sixFirst.Slices = append(sixFirst.Slices, slice("10.0.0.7", "10.0.0.8").Slices...)
	tests := []struct {
		name      string
		opts      Options
		service   *backend.Service
		endpoints *backend.Endpoints
		want      []string
	}{
		{"beside the ConfigMap", auto, service("holmes"), slice("10.0.0.7", "10.0.0.8"), []string{"http://10.0.0.7:5050", "http://10.0.0.8:5050"}},
		{"elsewhere", auto, service("evil"), slice("10.0.0.7"), nil},
		{"selects another", auto, other, slice("10.0.0.7"), nil},
		{"a target by name", auto, byName, slice("10.0.0.7"), []string{"http://10.0.0.7:5050"}},
		{"both families", auto, service("holmes"), bothFamilies, []string{"http://10.0.0.7:5050", "http://10.0.0.8:5050"}},
		{"both families, IPv6 first", auto, service("holmes"), sixFirst, []string{"http://10.0.0.7:5050", "http://10.0.0.8:5050"}},
		{"IPv6", auto, service("holmes"), slice("fd00::7"), []string{"http://[fd00::7]:5050"}},
		{"nothing ready", auto, service("holmes"), slice(), nil},
		{"the one that is named", named, service("ai"), slice("10.0.0.7"), []string{"http://10.0.0.7:5050"}},
		{"another than the one that is named", named, service("holmes"), slice("10.0.0.7"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := New(tt.opts)
			a.Service(tt.service.Ref, tt.service, tt.endpoints)
			a.Published(document("generation/1"), true)
			if diff := cmp.Diff(tt.want, a.wanted()); diff != "" {
				t.Error(diff)
			}
			a.Service(tt.service.Ref, nil, nil)
			if got := a.wanted(); len(got) > 0 {
				t.Errorf("%v are asked of a Service that is gone", got)
			}
		})
	}
}
