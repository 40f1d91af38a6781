package probe

import (
	"bufio"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/view"
)

const testHost = "web.shop.svc.cluster.local"

func builtin(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lookupType(t testing.TB, name string) *catalog.Type {
	t.Helper()
	typ := builtin(t).Lookup(name)
	if typ == nil {
		t.Fatalf("no type %q", name)
	}
	return typ
}

func newProber(t testing.TB, opts Options) *Prober {
	t.Helper()
	if opts.Tries == 0 {
		opts.Tries = 1
	}
	p, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// targetAt returns a target whose ClusterIP is a loopback listener.
func targetAt(addr net.Addr, typ *catalog.Type) Target {
	ap := netip.MustParseAddrPort(addr.String())
	c := &backend.Candidate{
		Service: &backend.Service{Ref: backend.Ref{Namespace: "shop", Name: "web"}, ClusterIP: ap.Addr().String()},
		Type:    backend.TypeCustom, Host: testHost, PortNumber: int32(ap.Port()), Scheme: "http",
	}
	if typ != nil {
		c.Type = typ.Type
	}
	return Target{Candidate: c, Type: typ}
}

// serve starts a plain HTTP backend.
func serve(t testing.TB, typ *catalog.Type, h http.Handler) Target {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return targetAt(s.Listener.Addr(), typ)
}

// reply is one answer of a stand-in backend.
type reply struct {
	status int
	body   string
	header map[string]string
}

func (r reply) write(w http.ResponseWriter) {
	for k, v := range r.header {
		w.Header().Set(k, v)
	}
	if _, typed := r.header["Content-Type"]; !typed && strings.HasPrefix(r.body, "{") {
		w.Header().Set("Content-Type", "application/json")
	}
	if r.status != 0 {
		w.WriteHeader(r.status)
	}
	_, _ = io.WriteString(w, r.body)
}

// answers maps paths to replies; "*" stands for all other paths. Without it they answer 404.
type answers map[string]reply

func (s answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a, ok := s[r.URL.Path]; ok {
		a.write(w)
	} else if a, ok := s["*"]; ok {
		a.write(w)
	} else {
		http.NotFound(w, r)
	}
}

// below moves a stand-in below a base path.
func (s answers) below(base string) answers {
	moved := answers{}
	for path, a := range s {
		if path != "*" {
			path = base + path
		}
		moved[path] = a
	}
	return moved
}

func (s answers) with(more answers) answers {
	all := maps.Clone(s)
	maps.Copy(all, more)
	return all
}

// raw starts a listener that handles each connection itself; the connection is closed when handle returns.
func raw(t testing.TB, typ *catalog.Type, handle func(net.Conn)) Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				handle(conn)
			})
		}
	})
	return targetAt(l.Addr(), typ)
}

// observed holds the values that a test expects in an observation. Detail is a part of its sentence.
type observed struct {
	Outcome                                           backend.Outcome
	Cause, Path, Scheme, Version, Type, Host, Missing string
	Identity, SkipVerify                              bool
	Wants                                             backend.Kind
	Detail                                            string
}

// said returns the text of an observation for people.
func said(o backend.Observation) string { return view.Observed(&backend.Finding{Observation: o}) }

// expect compares an observation with the expected values.
func expect(t *testing.T, got backend.Observation, want observed) {
	t.Helper()
	if got.Outcome != want.Outcome || got.Cause != want.Cause || got.Identity != want.Identity || got.Path != want.Path ||
		want.Scheme != "" && got.Scheme != want.Scheme || got.Version != want.Version || got.Type != want.Type || got.SkipVerify != want.SkipVerify {
		t.Errorf("got %s cause %q identity %t path %q scheme %q version %q skipVerify %t type %q: %s\nwant %s cause %q identity %t path %q scheme %q version %q skipVerify %t type %q",
			got.Outcome, got.Cause, got.Identity, got.Path, got.Scheme, got.Version, got.SkipVerify, got.Type, said(got),
			want.Outcome, want.Cause, want.Identity, want.Path, want.Scheme, want.Version, want.SkipVerify, want.Type)
	}
	if got.Seen.Code == "" {
		t.Errorf("no code for %q", said(got))
	}
	if !strings.Contains(said(got), want.Detail) {
		t.Errorf("detail %q does not say %q", said(got), want.Detail)
	}
	if t.Failed() {
		for _, r := range got.Requests {
			t.Logf("  %s %s: %d %s", r.Purpose, r.URL, r.Status(), said(backend.Observation{Seen: r.Seen}))
		}
	}
}

// targetFor returns a target that is not dialled.
func targetFor(typ *catalog.Type) Target {
	return targetAt(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, typ)
}

// each answers the requests of a connection, counted from 0, until the other side has gone.
func each(answer func(c net.Conn, r *http.Request, n int)) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		for n := 0; ; n++ {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			answer(c, r, n)
		}
	}
}
