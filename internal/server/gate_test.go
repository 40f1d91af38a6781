package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Small limits do the same as large ones, with fewer sockets.
var small = capacity{conns: 32, reserve: 8, requests: 16}

// flooded is a server that floods try.
type flooded struct {
	addr string
	gate *gate
	most atomic.Int64 // requests of /held at a time
	log  lines
}

// attack starts a server: /held answers when its client leaves, /large answers more than buffers hold, /body reads the body.
func attack(t *testing.T) *flooded {
	t.Helper()
	f := &flooded{}
	log := slog.New(slog.NewTextHandler(&f.log, nil))
	f.gate = newGate(small, log)
	probes := NewProbes(time.Minute)
	mux := http.NewServeMux()
	probes.Register(mux)
	var held atomic.Int64
	mux.HandleFunc("/held", func(_ http.ResponseWriter, r *http.Request) {
		now := held.Add(1)
		defer held.Add(-1)
		for most := f.most.Load(); now > most && !f.most.CompareAndSwap(most, now); most = f.most.Load() {
		}
		<-r.Context().Done()
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(30 * time.Second))
		_, _ = w.Write(make([]byte, 32<<20))
	})
	mux.HandleFunc("/body", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	s := &Listener{Name: "api", Addr: "127.0.0.1:0", Handler: mux, Log: log, gate: f.gate}
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.addr = s.Address().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- Run(ctx, probes, []*Listener{s}, Shutdown{}) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return f
}

// from is a client with an address of its own, such as kubelet, that opens a connection for each request.
func (f *flooded) from(host string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}, Timeout: 5 * time.Second}
	return &http.Client{
		Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
	}
}

// dial opens connections that send a text each, and closes them in the end.
func (f *flooded) dial(t *testing.T, n int, text string) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, 0, n)
	for range n {
		c, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if text != "" {
			_, _ = io.WriteString(c, text) // it may be closed already
		}
		conns = append(conns, c)
	}
	return conns
}

// answers asks for a path some times and says what came of it. One that waits for the connections of
// the flood to end, which the test does not end before, gets no answer in the client's time.
func answers(t *testing.T, c *http.Client, url string) map[string]int {
	t.Helper()
	got := map[string]int{}
	for range 20 {
		resp, err := c.Get(url)
		if err != nil {
			got[err.Error()]++
			continue
		}
		resp.Body.Close()
		got[resp.Status]++
	}
	return got
}

func (f *flooded) size() (conns, requests int) {
	f.gate.mu.Lock()
	defer f.gate.mu.Unlock()
	return len(f.gate.open), f.gate.requests
}

// Floods of one address: kubelet's requests are answered, those of others too where the flood holds connections and no answers,
// and what is held has a bound.
func TestFloods(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-RUN-3")
	for name, flood := range map[string]struct {
		text  string
		holds bool // its connections stay open
	}{
		"connections that say nothing":   {"", true},
		"headers that do not end":        {"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", true},
		"a request line that does not":   {"GET /aaaaaaaa", true},
		"bodies that do not end":         {"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc", true},
		"bodies that nobody reads":       {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nabc", false},
		"chunks that do not end":         {"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", true},
		"answers that nobody takes":      {strings.Repeat("GET /large HTTP/1.1\r\nHost: x\r\n\r\n", 3), true},
		"answers that never come":        {"GET /held HTTP/1.1\r\nHost: x\r\n\r\n", true},
		"requests that nobody waits for": {strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2000), false},
		"health that nobody reads":       {strings.Repeat("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 2000), false},
		"headers of 2 MiB":               {"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 2<<20) + "\r\n\r\n", false},
		"a path of 2 MiB":                {"GET /" + strings.Repeat("a", 2<<20) + " HTTP/1.1\r\nHost: x\r\n\r\n", false},
		"no HTTP":                        {"\x00\x01\x02\xff\r\n\r\n", false},
		"HTTP/2 without TLS":             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := attack(t)
			n := 300
			if len(flood.text) > 1<<20 {
				n = 50
			}
			f.dial(t, n, flood.text)
			if got := answers(t, f.from("127.0.0.9"), "http://"+f.addr+"/healthz"); got["200 OK"] != 20 {
				t.Errorf("kubelet: %v", got)
			}
			if got := answers(t, f.from("127.0.0.8"), "http://"+f.addr+"/"); got["200 OK"] != 20 {
				t.Errorf("somebody else: %v", got)
			}
			if conns, requests := f.size(); conns > small.conns+small.reserve || requests > small.requests/2 {
				t.Errorf("%d connections and %d requests are open", conns, requests)
			}
			if lines := strings.Count(f.log.String(), "too many connections"); lines > 1 || flood.holds && lines == 0 {
				t.Errorf("it is told %d times", lines)
			}
		})
	}
}

// Where many addresses hold answers, requests are refused, and health is told all the same.
func TestFloodOfManyAddresses(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-RUN-3")
	f := attack(t)
	var all sync.WaitGroup
	ctx, leave := context.WithCancel(t.Context())
	defer all.Wait()
	defer leave()
	const many = 200
	var busy, back atomic.Int64
	for i := range many {
		all.Go(func() {
			defer back.Add(1)
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.addr+"/held", http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			c := f.from(fmt.Sprintf("127.0.1.%d", i+1))
			c.Timeout = 0
			resp, err := c.Do(r)
			if err != nil {
				return // displaced, or left
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "" {
				busy.Add(1)
			}
		})
	}
	eventually(t, func() error {
		// Each has its answer, is held or was displaced: one that is still coming may displace a fresh connection.
		if _, held := f.size(); busy.Load() == 0 || f.most.Load() < int64(small.requests) || back.Load()+int64(held) < many {
			return errors.New("the flood is not there yet")
		}
		return nil
	})
	if got := answers(t, f.from("127.0.0.9"), "http://"+f.addr+"/healthz"); got["200 OK"] != 20 {
		t.Errorf("kubelet: %v", got)
	}
	if got := answers(t, f.from("127.0.0.8"), "http://"+f.addr+"/"); got["503 Service Unavailable"] != 20 {
		t.Errorf("somebody else: %v", got)
	}
	if most := f.most.Load(); most > int64(small.requests) {
		t.Errorf("%d requests at a time", most)
	}
	leave()
	eventually(t, func() error {
		if got := answers(t, f.from("127.0.0.8"), "http://"+f.addr+"/"); got["200 OK"] != 20 {
			return fmt.Errorf("after the flood: %v", got)
		}
		return nil
	})
}

// However many health requests of one address are being answered at a time, another's are too.
func TestHealthRequestsHoldNoConnections(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-RUN-3")
	g := newGate(small, unlogged)
	admit := func(addr string) (c *conn, answered bool) {
		one, other := net.Pipe()
		t.Cleanup(func() { one.Close(); other.Close() })
		if c, _ = g.admit(named{one, addr}); c == nil {
			return nil, false
		}
		answered, _ = g.begin(c, true)
		return c, answered
	}
	for i := range 2 * (small.conns + small.reserve) {
		admit(fmt.Sprint("127.0.0.1:", 1000+i))
	}
	c, answered := admit("127.0.0.9:1")
	if !answered {
		t.Fatal("kubelet is refused")
	}
	g.end(c, true)
	if ok, _ := g.begin(c, false); !ok {
		t.Error("it has a connection of the reserve alone")
	}
}

// Nothing is left of addresses that are gone, however many there were.
func TestGateForgets(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	g := newGate(small, slog.New(slog.DiscardHandler))
	for i := range 1000 {
		one, other := net.Pipe()
		c, displaced := g.admit(named{one, fmt.Sprintf("10.0.%d.%d:1", i/250, i%250)})
		for _, d := range displaced {
			d.Conn.Close()
		}
		if c == nil {
			t.Fatal("not admitted")
		}
		if ok, _ := g.begin(c, i%2 == 0); !ok {
			t.Fatal("not answered")
		}
		if i%3 == 0 { // it goes while it is answered
			c.Close()
			g.end(c, i%2 == 0)
		} else {
			g.end(c, i%2 == 0)
			c.Close()
		}
		other.Close()
	}
	if len(g.open) > 0 || len(g.hosts) > 0 || g.requests != 0 {
		t.Errorf("%d connections, %d addresses, %d requests are left", len(g.open), len(g.hosts), g.requests)
	}
}

type named struct {
	net.Conn
	addr string
}

func (n named) RemoteAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", n.addr)
	if err != nil {
		return n.Conn.RemoteAddr()
	}
	return a
}

func TestBusy(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	w := httptest.NewRecorder()
	g := newGate(capacity{}, unlogged)
	r := httptest.NewRequest(http.MethodGet, "/api/v1/status", http.NoBody)
	g.handler(http.NotFoundHandler()).ServeHTTP(w, r.WithContext(withConn(r.Context(), &conn{gate: g, host: &usage{}})))
	a := answer{w.Code, w.Header(), w.Body.String()}
	if isProblem(t, a, http.StatusServiceUnavailable); a.header.Get("Retry-After") == "" {
		t.Errorf("%v", a.header)
	}
}
