package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// capacity limits what one listener holds at a time. Anyone in the cluster may connect, so it bounds what a stranger
// can cost.
type capacity struct {
	conns    int // connections
	reserve  int // additional connections, which only serve the health endpoints
	requests int // concurrent requests, except for health endpoints; one address gets at most half of them
}

var usualCapacity = capacity{conns: 512, reserve: 64, requests: 256}

// gate counts connections and requests. If there are too many connections, it closes idle ones: first those of the
// address with the most connections, and of these the one that has been idle longest. So a flood displaces its own
// connections.
type gate struct {
	capacity
	log *slog.Logger

	mu       sync.Mutex
	open     map[*conn]struct{}
	hosts    map[string]*usage
	requests int
	shed     int // connections closed and requests refused since the last log line
	often    rate.Sometimes
}

// usage counts the connections and requests of one address.
type usage struct{ conns, requests int }

func newGate(c capacity, log *slog.Logger) *gate {
	return &gate{
		capacity: c, log: log, open: map[*conn]struct{}{}, hosts: map[string]*usage{},
		often: rate.Sometimes{Interval: time.Minute},
	}
}

// conn is an admitted connection. The gate's mutex guards the fields below gate.
type conn struct {
	net.Conn
	gate *gate

	host  *usage
	name  string // the host's address
	extra bool   // from the reserve
	asks  int    // requests in progress, except for health endpoints: floods of those must not hold their connections
	since time.Time
}

// gated is a listener that admits as many connections as its gate allows.
type gated struct {
	net.Listener
	gate *gate
}

// Accept implements net.Listener.
func (l gated) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		admitted, displaced := l.gate.admit(c)
		for _, d := range displaced {
			_ = d.Conn.Close()
		}
		if admitted != nil {
			return admitted, nil
		}
		_ = c.Close()
	}
}

// admit returns the admitted connection, nil if there is no room, and the connections that it displaces. The caller
// closes the displaced ones.
func (g *gate) admit(c net.Conn) (admitted *conn, displaced []*conn) {
	name := host(c.RemoteAddr().String())
	g.mu.Lock()
	defer g.mu.Unlock()
	from := g.hosts[name]
	if from == nil {
		from = &usage{}
	}
	for len(g.open) >= g.conns {
		other := g.idle(from.conns + 1)
		if other == nil {
			break
		}
		g.remove(other)
		displaced = append(displaced, other)
	}
	if len(displaced) > 0 || len(g.open) >= g.conns {
		g.complain()
	}
	if len(g.open) >= g.conns+g.reserve {
		return nil, displaced
	}
	admitted = &conn{Conn: c, gate: g, host: from, name: name, extra: len(g.open) >= g.conns, since: time.Now()}
	g.open[admitted] = struct{}{}
	g.hosts[name] = from
	from.conns++
	return admitted, displaced
}

// idle returns the idle connection to close in favour of an address that would then have conns connections, nil if
// there is none. It never returns a connection of an address that has fewer.
func (g *gate) idle(conns int) *conn {
	var found *conn
	for c := range g.open {
		switch {
		case c.asks > 0 || c.host.conns < conns:
		case found == nil, c.host.conns > found.host.conns,
			c.host.conns == found.host.conns && c.since.Before(found.since):
			found = c
		}
	}
	return found
}

func (g *gate) remove(c *conn) {
	if _, ok := g.open[c]; !ok {
		return
	}
	delete(g.open, c)
	c.host.conns--
	g.forget(c)
}

func (g *gate) forget(c *conn) {
	if *c.host == (usage{}) && g.hosts[c.name] == c.host {
		delete(g.hosts, c.name)
	}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.gate.mu.Lock()
	c.gate.remove(c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite closes the sending side. net/http looks for it, so that the last response still arrives.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// begin reports whether a request is served, and whether it is the last one on its connection. If it is served, the
// caller must call end.
func (g *gate) begin(c *conn, health bool) (answered, last bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !health && (c.extra || g.requests >= g.capacity.requests || c.host.requests >= g.capacity.requests/2) {
		g.complain()
		return false, true
	}
	if !health {
		c.asks++
		g.requests++
		c.host.requests++
	}
	return true, c.extra
}

func (g *gate) end(c *conn, health bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.since = time.Now()
	if !health {
		c.asks--
		g.requests--
		c.host.requests--
	}
	g.forget(c)
}

// complain logs a flood, at most once a minute.
func (g *gate) complain() {
	g.shed++
	g.often.Do(func() {
		g.log.Warn("too many connections or requests", "connections", len(g.open), "requests", g.requests,
			"addresses", len(g.hosts), "shed", g.shed)
		g.shed = 0
	})
}

type connKey struct{}

// withConn adds a connection to the context of its requests.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if own, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, own)
	}
	return ctx
}

// handler serves as many requests as there is room for with next, and refuses the others.
func (g *gate) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connKey{}).(*conn)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		health := isHealth(r.URL.Path)
		answered, last := g.begin(c, health)
		if last {
			w.Header().Set("Connection", "close")
		}
		if !answered {
			p := problem(http.StatusServiceUnavailable, "too many requests; try again in a few seconds")
			refuse(w, r, p.retry(starting))
			return
		}
		defer g.end(c, health)
		next.ServeHTTP(w, r)
	})
}
