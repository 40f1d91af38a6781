//go:build integration && day

package day

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// certificates are the files of an authority and of what it signs: ca.crt, backend.crt and own.crt with their keys.
type certificates struct {
	dir string

	mu        sync.Mutex
	authority *authority
	trusted   []byte            // what is in ca.crt
	serials   map[string]string // of the certificate in each file
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial := number()
	cert := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "authority " + serial.String()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err = x509.ParseCertificate(der)
	return &authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, err
}

func number() *big.Int {
	n, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100)) // it never fails
	return n
}

// newCertificates makes an authority and signs a certificate for the backend's host, and one for the replicas.
func newCertificates(dir, host string) (*certificates, error) {
	a, err := newAuthority()
	if err != nil {
		return nil, err
	}
	c := &certificates{dir: dir, authority: a, trusted: a.pem, serials: map[string]string{}}
	if err := replace(c.ca(), a.pem); err != nil {
		return nil, err
	}
	if err := c.sign("backend", host); err != nil {
		return nil, err
	}
	return c, c.sign("own", "localhost")
}

func (c *certificates) ca() string { return filepath.Join(c.dir, "ca.crt") }

// sign writes NAME.crt and NAME.key anew.
func (c *certificates) sign(name, host string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert := &x509.Certificate{
		SerialNumber: number(), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{host}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, c.authority.cert, &key.PublicKey, c.authority.key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	c.serials[name] = cert.SerialNumber.String()
	path := filepath.Join(c.dir, name)
	return errors.Join(replace(path+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
		replace(path+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// newAuthority has another one sign from now on, beside which the old one is trusted, as one does who renews it.
func (c *certificates) newAuthority() error {
	a, err := newAuthority()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trusted = bytes.Join([][]byte{a.pem, c.authority.pem}, nil)
	c.authority = a
	return replace(c.ca(), c.trusted)
}

// serves says which certificate of the file an address serves with: an error, unless it is the one there now.
func (c *certificates) serves(name, host, address string) error {
	c.mu.Lock()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.trusted)
	want := c.serials[name]
	c.mu.Unlock()
	config := &tls.Config{RootCAs: pool, ServerName: host, MinVersion: tls.VersionTLS12}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", address, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	if got := conn.ConnectionState().PeerCertificates[0].SerialNumber.String(); got != want {
		return fmt.Errorf("%s serves with %s, and %s has %s", address, got, name, want)
	}
	return nil
}

// replace writes a file whole, as a mounted volume changes.
func replace(path string, data []byte) error {
	next := path + ".next"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
