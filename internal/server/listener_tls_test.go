package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// broken is a listener whose Accept fails for good.
type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, errors.New("accept: the descriptor is gone") }

// A server with TLS serves HTTP/1.1 also to those who prefer HTTP/2, still after its listener broke, and refuses plain HTTP.
func TestServesTLS(t *testing.T) {
	t.Attr("req", "DTS-API-3 DTS-RUN-5")
	c, err := TLS(config.ServerTLS{Mode: config.TLSSelfSigned}, unlogged)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := c.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := first.Addr().String()
	probes := NewProbes(time.Minute)
	s := &Listener{Name: "api", Addr: addr, Handler: slow(probes), TLS: c, listener: broken{first}}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Run(ctx, probes, []*Listener{s}, Shutdown{Timeout: time.Second}) }()

	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	eventually(t, func() error {
		resp, err := client.Get("https://" + addr + "/healthz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Proto != "HTTP/1.1" {
			t.Errorf("%s %s", resp.Proto, resp.Status)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	})
	resp, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %s", resp.Status)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// Strangers cannot fill the log with what the server says of their connections: it has ten lines at once, and one in
// six seconds.
func TestComplaintsAreFew(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-LOG-1")
	synctest.Test(t, func(t *testing.T) {
		c, err := TLS(config.ServerTLS{Mode: config.TLSSelfSigned}, unlogged)
		if err != nil {
			t.Fatal(err)
		}
		var said lines
		l, log := newPipes(), slog.New(slog.NewTextHandler(&said, nil))
		s := &Listener{Name: "api", Handler: http.NotFoundHandler(), TLS: c, Log: log, listener: l}
		ctx, stop := context.WithCancel(t.Context())
		go Run(ctx, NewProbes(time.Minute), []*Listener{s}, Shutdown{}) //nolint:errcheck // it listens already
		for step, want := range []int{10, 11} {
			var all sync.WaitGroup
			for range 200 {
				all.Go(func() {
					client, server := net.Pipe()
					l.conns <- server
					_, _ = io.WriteString(client, "no handshake\r\n\r\n")
					_, _ = io.Copy(io.Discard, client) // until it is closed
				})
			}
			all.Wait()
			if n := strings.Count(said.String(), "TLS handshake error"); n != want {
				t.Errorf("%d lines of %d bad handshakes, want %d", n, 200*(step+1), want)
			}
			<-time.After(6 * time.Second)
		}
		stop()
		synctest.Wait()
	})
}
