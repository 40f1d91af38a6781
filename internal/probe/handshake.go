package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
)

// Limits of what a server sends during the handshake, in bytes. A parsed certificate takes thirty times its size,
// because it may name tens of thousands of URIs in a few bytes each. Only a few handshakes over usualHandshake, which
// charts and authorities do not reach, are read at once.
const (
	maxHandshake   = 32 << 10
	usualHandshake = 8 << 10
)

// handshakeError is the error of a TLS handshake that failed.
type handshakeError struct{ error }

func (e handshakeError) Unwrap() error { return e.error }

var errHandshake = errors.New("the server's part of the TLS handshake is too long")

// handshake is a connection that limits what is read until the TLS handshake is over.
type handshake struct {
	net.Conn
	turn    func() (release func(), err error)
	read    int
	release func() // nil unless it holds a turn
	over    bool
}

func (c *handshake) Read(p []byte) (int, error) {
	switch {
	case c.over:
		return c.Conn.Read(p)
	case c.read >= maxHandshake:
		return 0, errHandshake
	case c.read >= usualHandshake && c.release == nil:
		release, err := c.turn()
		if err != nil {
			return 0, err
		}
		c.release = release
	}
	most := usualHandshake
	if c.release != nil {
		most = maxHandshake
	}
	n, err := c.Conn.Read(p[:min(len(p), most-c.read)])
	c.read += n
	return n, err
}

// end marks the handshake as over, whether it succeeded or failed.
func (c *handshake) end() {
	if c.over = true; c.release != nil {
		c.release()
	}
}

// secured performs the TLS handshake on a connection. It closes the connection if the handshake fails.
func (p *Prober) secured(ctx context.Context, t Target, raw net.Conn) (net.Conn, error) {
	first := &handshake{Conn: raw, turn: func() (func(), error) {
		return p.large.acquire(ctx, t.Candidate.Service.Namespace)
	}}
	conn := tls.Client(first, p.secure(t))
	err := conn.HandshakeContext(ctx)
	first.end()
	if err != nil {
		_ = raw.Close()
		return nil, handshakeError{err}
	}
	return conn, nil
}
