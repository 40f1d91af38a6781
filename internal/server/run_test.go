package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener within the process, so that the clock of synctest drives what goes over it.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// get asks for a path on a connection of its own.
func (p *pipes) get(path string) (string, error) {
	client, server := net.Pipe()
	defer client.Close()
	select {
	case p.conns <- server:
	case <-p.done:
		return "", errors.New("refused")
	}
	if _, err := fmt.Fprintf(client, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, body), err
}

// slow answers after the duration in its path, or when the process stops.
func slow(p *Probes) http.Handler {
	mux := http.NewServeMux()
	p.Register(mux)
	mux.HandleFunc("/wait/{duration}", func(w http.ResponseWriter, r *http.Request) {
		d, err := time.ParseDuration(r.PathValue("duration"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		<-time.After(d)
		fmt.Fprint(w, "done")
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		<-p.Stopping()
		fmt.Fprint(w, "bye")
	})
	return mux
}

// TestStop walks through a stop by the clock: readiness at once, then the delay, then the requests that run, then the end.
func TestStop(t *testing.T) {
	t.Attr("req", "DTS-RUN-4")
	tests := []struct {
		name      string
		longest   string // request that runs when the stop begins
		want      string
		ends      time.Duration // after the signal
		delay     time.Duration
		timeout   time.Duration
		streaming bool
	}{
		{name: "nothing runs", ends: 5 * time.Second, delay: 5 * time.Second, timeout: 30 * time.Second},
		{name: "no delay", ends: 0, timeout: 30 * time.Second},
		{name: "a request ends within the delay", longest: "3s", want: "200 done", ends: 5 * time.Second, delay: 5 * time.Second, timeout: 30 * time.Second},
		{name: "a request is waited for", longest: "20s", want: "200 done", ends: 20 * time.Second, delay: 5 * time.Second, timeout: 30 * time.Second},
		{name: "a request hangs", longest: "1h", want: "cut off", ends: 35 * time.Second, delay: 5 * time.Second, timeout: 30 * time.Second},
		{name: "a stream ends by itself", streaming: true, want: "200 bye", ends: 5 * time.Second, delay: 5 * time.Second, timeout: 30 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				probes := NewProbes(time.Minute)
				l := newPipes()
				ctx, signal := context.WithCancel(t.Context())
				var stopped time.Time
				go func() {
					s := &Listener{Name: "api", Handler: slow(probes), listener: l}
					if err := Run(ctx, probes, []*Listener{s}, Shutdown{Delay: tt.delay, Timeout: tt.timeout}); err != nil {
						t.Errorf("Run: %v", err)
					}
					stopped = time.Now()
				}()
				if got, err := l.get("/readyz"); err != nil || !strings.HasPrefix(got, "200") {
					t.Fatalf("before the signal: %s %v", got, err)
				}
				running := ""
				path := "/wait/" + tt.longest
				if tt.streaming {
					path = "/stream"
				}
				if tt.want != "" {
					go func() {
						got, err := l.get(path)
						if err != nil {
							got = "cut off"
						}
						running = got
					}()
				}
				synctest.Wait()

				start := time.Now()
				signal()
				synctest.Wait()
				if tt.delay > 0 {
					if got, err := l.get("/readyz"); err != nil || !strings.HasPrefix(got, "503") || !strings.Contains(got, "stopping") {
						t.Errorf("at the signal: %s %v, want 503 stopping", got, err)
					}
					<-time.After(tt.delay - time.Millisecond)
					if got, err := l.get("/healthz"); err != nil || !strings.HasPrefix(got, "200") {
						t.Errorf("at the end of the delay: %s %v, want 200", got, err)
					}
					<-time.After(time.Millisecond)
				}
				synctest.Wait()
				if _, err := l.get("/healthz"); err == nil {
					t.Error("still listening after the delay")
				}
				<-time.After(2 * time.Hour)
				synctest.Wait()
				// Shutdown looks for idle connections every half second.
				if took := stopped.Sub(start); took < tt.ends || took > tt.ends+600*time.Millisecond {
					t.Errorf("stopped after %s, want %s", took, tt.ends)
				}
				if running != tt.want {
					t.Errorf("the request that ran: %q, want %q", running, tt.want)
				}
			})
		})
	}
}

// eventually tries until it works, for at most ten seconds.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// An address that cannot be had is an error that names it, and says what to set.
func TestBadAddress(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, addr := range []string{taken.Addr().String(), "nonsense", "127.0.0.1:http9", "192.0.2.1:8080"} {
		s := &Listener{Name: "api", Key: "server.address", Addr: addr}
		err := Run(t.Context(), NewProbes(time.Minute), []*Listener{s}, Shutdown{})
		if err == nil {
			t.Fatalf("it listens on %s", addr)
		}
		for _, part := range []string{"api", addr, "set server.address to another address, as host:port"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q does not say %q", err, part)
			}
		}
	}
}

// A body that drips is given up, while an answer may take, as streams do, as long as it likes.
func TestReadTimeout(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		probes := NewProbes(time.Minute)
		var bodyErr error
		mux := http.NewServeMux()
		mux.HandleFunc("GET /long", func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Hour):
				fmt.Fprint(w, "done")
			}
		})
		mux.HandleFunc("POST /drip", func(_ http.ResponseWriter, r *http.Request) { _, bodyErr = io.ReadAll(r.Body) })
		ctx, stop := context.WithCancel(t.Context())
		go Run(ctx, probes, []*Listener{{Name: "api", Handler: mux, listener: l}}, Shutdown{}) //nolint:errcheck // it listens already
		if got, err := l.get("/long"); err != nil || got != "200 done" {
			t.Errorf("an hour's answer: %q %v", got, err)
		}

		client, server := net.Pipe()
		defer client.Close()
		l.conns <- server
		start := time.Now()
		fmt.Fprint(client, "POST /drip HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
		if _, err := http.ReadResponse(bufio.NewReader(client), nil); err != nil {
			t.Logf("the connection: %v", err)
		}
		if took := time.Since(start); bodyErr == nil || took > readTimeout+time.Second {
			t.Errorf("a body that drips: %v after %s", bodyErr, took)
		}
		stop()
		synctest.Wait()
	})
}
