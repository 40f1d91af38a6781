package server

import (
	"bytes"
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
	"sync/atomic"
	"time"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/logging"
)

const (
	// lifetime of a self-signed certificate is short, because it cannot be revoked.
	lifetime = 90 * 24 * time.Hour
	// renewBefore is how long before its end a self-signed certificate is replaced.
	renewBefore = lifetime / 3
	// lookAgain is the shortest time between two checks for a newer certificate.
	lookAgain = time.Second
)

// TLS returns the TLS configuration of the API and the metrics, nil for mode off. A certificate is renewed or read
// again when a connection needs it; nothing runs in the background. Errors name the file and say what to do.
func TLS(c config.ServerTLS, log *slog.Logger) (*tls.Config, error) {
	k := &certificates{log: log.With("from", c.Mode)}
	switch c.Mode {
	case config.TLSOff, "":
		return nil, nil
	case config.TLSSelfSigned:
		k.next = func(current *tls.Certificate) (*tls.Certificate, error) { return selfSigned(c.Names, current) }
	default: // files
		k.next = func(*tls.Certificate) (*tls.Certificate, error) { return fromFiles(c.CertFile, c.KeyFile) }
	}
	if err := k.refresh(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.certificate}, nil
}

// certificates holds the last valid certificate.
type certificates struct {
	log     *slog.Logger
	next    func(current *tls.Certificate) (*tls.Certificate, error) // may return current
	current atomic.Pointer[tls.Certificate]

	mu     sync.Mutex
	looked time.Time
	failed logging.Condition[string]
}

// certificate implements GetCertificate of tls.Config. One connection at a time checks for a newer certificate; the
// others do not wait for it.
func (k *certificates) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if k.mu.TryLock() {
		defer k.mu.Unlock()
		if time.Since(k.looked) >= lookAgain {
			if err := k.refresh(); err == nil {
				k.failed.Changed("")
			} else if k.failed.Changed(err.Error()) {
				k.log.Warn("TLS certificate rejected", "err", err,
					"advice", "the service uses the last valid certificate")
			}
		}
	}
	return k.current.Load(), nil
}

// refresh replaces the certificate if a different one is available. It compares contents, because cert-manager and
// kubelet replace a symbolic link above the files.
func (k *certificates) refresh() error {
	k.looked = time.Now()
	current := k.current.Load()
	next, err := k.next(current)
	if err != nil || current != nil && slices.EqualFunc(next.Certificate, current.Certificate, bytes.Equal) {
		return err
	}
	k.current.Store(next)
	leaf := next.Leaf
	k.log.Info("TLS certificate loaded",
		"names", leaf.DNSNames, "addresses", leaf.IPAddresses, "not_after", leaf.NotAfter.UTC())
	if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		k.log.Warn("TLS certificate not valid today",
			"not_before", leaf.NotBefore.UTC(), "not_after", leaf.NotAfter.UTC())
	}
	return nil
}

// fromFiles reads a certificate and its key.
func fromFiles(certFile, keyFile string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("server.tls: certFile %s and keyFile %s: %w; "+
			"certFile needs the certificate and its chain as PEM, "+
			"and keyFile its private key as PEM without a passphrase", certFile, keyFile, err)
	}
	return &pair, nil
}

// selfSigned returns the current certificate, or a new one if current is nil or expires soon. Its key is of an elliptic
// curve: each connection of a stranger costs a signature, and one by RSA takes thirty times as long.
func selfSigned(names []string, current *tls.Certificate) (*tls.Certificate, error) {
	if current != nil && time.Until(current.Leaf.NotAfter) > renewBefore {
		return current, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the self-signed certificate: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "dynamic-toolset"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime), // clients' clocks may be behind
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	names = append([]string{"localhost", "127.0.0.1", "::1"}, names...)
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate for %q: %w; "+
			"set server.tls.mode to files and give a certificate", names, err)
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
