package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Listener serves HTTP on one address.
type Listener struct {
	Name    string // for logs and errors: "api", "metrics"
	Key     string // the configuration's key of the address, for errors: "server.address"
	Addr    string // host:port; port 0 selects a free port
	Handler http.Handler
	TLS     *tls.Config // nil: plain HTTP
	Log     *slog.Logger

	http *http.Server
	gate *gate // nil: one with usualCapacity

	mu       sync.Mutex
	listener net.Listener
}

// Limits of a request. There is no write timeout, because a stream lasts as long as its client reads it.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second // headers and body
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10 // twice the longest token
)

// Listen opens the listener. Callers do so first, so that a bad address is reported before anything else starts. The
// error says what to do.
func (s *Listener) Listen(ctx context.Context) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("%s: cannot listen on %q: %w; set %s to another address, as host:port",
			s.Name, s.Addr, err, s.Key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener = l
	return nil
}

// Address returns the address on which the server listens, nil before Listen.
func (s *Listener) Address() net.Addr {
	if l := s.current(); l != nil {
		return l.Addr()
	}
	return nil
}

func (s *Listener) current() net.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listener
}

// prepare creates the HTTP server and fills in defaults.
func (s *Listener) prepare() {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.gate == nil {
		s.gate = newGate(usualCapacity, s.Log.With("server", s.Name))
	}
	// HTTP/2 would let a stranger hold a megabyte for each connection, and dozens of answers that are not read.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	s.http = &http.Server{
		Handler:           s.gate.handler(s.Handler),
		ConnContext:       withConn,
		TLSConfig:         s.TLS,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		Protocols:         &protocols,
		// Receives failed handshakes, bad requests and panics of handlers.
		ErrorLog: log.New(newCalm(s.Log.With("server", s.Name)), "", 0),
	}
}

// serve serves until shutdown. If the listener fails, serve opens it again, until ctx ends.
func (s *Listener) serve(ctx context.Context) {
	for {
		err := s.serveOnce()
		if errors.Is(err, http.ErrServerClosed) {
			return
		}
		for err != nil {
			s.Log.Error("listener failed", "server", s.Name, "err", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
			err = s.Listen(ctx)
		}
	}
}

func (s *Listener) serveOnce() error {
	if s.TLS != nil {
		return s.http.ServeTLS(gated{s.current(), s.gate}, "", "")
	}
	return s.http.Serve(gated{s.current(), s.gate})
}

// shutdown stops listening and waits for running requests. It cuts them off when ctx ends.
func (s *Listener) shutdown(ctx context.Context) {
	if err := s.http.Shutdown(ctx); err != nil {
		s.Log.Warn("running requests aborted",
			"server", s.Name, "advice", "raise shutdown.timeout", "err", err)
		if err := s.http.Close(); err != nil {
			s.Log.Debug("connections not closed", "server", s.Name, "err", err)
		}
	}
}

// calm logs the errors of an HTTP server: the first ten lines and then one every six seconds, because any client can
// cause a line.
type calm struct {
	log   *slog.Logger
	often rate.Sometimes
	left  atomic.Int64 // lines not logged since the last one
}

func newCalm(log *slog.Logger) *calm {
	return &calm{log: log, often: rate.Sometimes{First: 10, Interval: 6 * time.Second}}
}

// Write implements io.Writer. Each call has one whole line, because log.Logger writes whole lines.
func (c *calm) Write(p []byte) (int, error) {
	c.left.Add(1)
	c.often.Do(func() {
		c.log.Warn("HTTP connection failed",
			"err", strings.TrimSuffix(string(p), "\n"), "left_out", c.left.Swap(0)-1)
	})
	return len(p), nil
}
