package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	// lifetime is short, since nobody revokes the certificate and whoever trusts it does so by hand.
	lifetime = 90 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is replaced.
	renewBefore = lifetime / 3
	// skew is how far clocks of clients may be behind.
	skew = time.Hour
)

// selfSigned makes its own certificates, in memory.
type selfSigned struct {
	dns []string
	ips []net.IP
	log *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
}

func newSelfSigned(names []string, log *slog.Logger) *selfSigned {
	all := []string{"localhost", "127.0.0.1", "::1"}
	if host, err := os.Hostname(); err == nil {
		all = append(all, host)
	}
	s := &selfSigned{log: log}
	for _, name := range append(all, names...) {
		if ip := net.ParseIP(name); ip != nil {
			if !slices.ContainsFunc(s.ips, ip.Equal) {
				s.ips = append(s.ips, ip)
			}
		} else if !slices.Contains(s.dns, name) {
			s.dns = append(s.dns, name)
		}
	}
	return s
}

// certificate is the current one, or a new one if that is near its end.
func (s *selfSigned) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.current != nil && now.Before(s.current.Leaf.NotAfter.Add(-renewBefore)) {
		return s.current, nil
	}
	made, err := s.make(now)
	if err != nil {
		return nil, fmt.Errorf("making a self-signed certificate for %q: %w; set server.tls.mode to files and give one", s.dns, err)
	}
	s.current = made
	s.log.Info("made a self-signed certificate", "names", s.dns, "addresses", s.ips, "not_after", made.Leaf.NotAfter.UTC())
	return made, nil
}

func (s *selfSigned) make(now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	// It is no authority: who trusts it trusts this server and nothing that it could sign.
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "dynamic-toolset"},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              s.dns,
		IPAddresses:           s.ips,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
