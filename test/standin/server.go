package standin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"
)

// Server serves a handler on a listener of its own.
type Server struct {
	URL  string // scheme://address, without a trailing slash
	Addr string // address:port as bound
	// CA is the certificate that signs itself, in PEM; nil over plain HTTP.
	CA []byte

	server *http.Server
	done   chan struct{}
}

// Start serves h at addr, e.g. "127.0.0.1:0", until Close.
func Start(addr string, h http.Handler) (*Server, error) { return start(addr, h, nil, nil) }

// StartTLS serves h over TLS at addr, with a certificate made for the names (and loopback) that signs itself.
func StartTLS(addr string, h http.Handler, names ...string) (*Server, error) {
	cert, ca, err := selfSigned(names)
	if err != nil {
		return nil, fmt.Errorf("stand-in at %s: %w", addr, err)
	}
	return start(addr, h, cert, ca)
}

func start(addr string, h http.Handler, cert *tls.Certificate, ca []byte) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("stand-in: %w", err)
	}
	s := &Server{
		URL: "http://" + l.Addr().String(), Addr: l.Addr().String(), CA: ca, done: make(chan struct{}),
		server: &http.Server{
			Handler: h, ReadHeaderTimeout: 10 * time.Second,
			ErrorLog: log.New(io.Discard, "", 0), // refused handshakes are what some tests are about
		},
	}
	if cert != nil {
		s.URL = "https://" + s.Addr
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12})
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(l) // ends with ErrServerClosed
	}()
	return s, nil
}

// Port is the port as bound.
func (s *Server) Port() int {
	a, err := net.ResolveTCPAddr("tcp", s.Addr)
	if err != nil {
		return 0
	}
	return a.Port
}

// Close drops all connections and waits until nothing is served any more.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func selfSigned(names []string) (*tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, nil, fmt.Errorf("making a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "stand-in"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true,
		DNSNames:    append([]string{"localhost"}, names...),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, fmt.Errorf("making a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
