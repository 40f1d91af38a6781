package server

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// lookAgain is how old what is known of the files may be when a connection comes.
const lookAgain = time.Second

// files is a certificate and its key, read again when they change. Their contents are compared: cert-manager and kubelet swap
// a link above the files, whose times say little.
type files struct {
	certFile, keyFile string
	log               *slog.Logger

	current atomic.Pointer[tls.Certificate]

	mu        sync.Mutex // for what is below, and for reading
	looked    time.Time
	cert, key []byte // of the current pair
	complaint string // what was wrong the last time, "" if nothing
}

// certificate is the last good one. One connection at a time looks at the files; the others do not wait for it.
func (f *files) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if f.mu.TryLock() {
		defer f.mu.Unlock()
		if time.Since(f.looked) >= lookAgain {
			f.refresh()
		}
	}
	return f.current.Load(), nil
}

// load reads the files for the first time.
func (f *files) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read()
}

// refresh keeps the last good pair and says once what is wrong with a new one.
func (f *files) refresh() {
	err := f.read()
	switch {
	case err == nil:
		f.complaint = ""
	case err.Error() != f.complaint:
		f.complaint = err.Error()
		f.log.Warn("the new TLS certificate is of no use; serving with the last good one", "err", err)
	}
}

func (f *files) read() error {
	f.looked = time.Now()
	cert, err := readPEM("server.tls.certFile", f.certFile, "a PEM file with the certificate and its chain")
	if err != nil {
		return err
	}
	key, err := readPEM("server.tls.keyFile", f.keyFile, "a PEM file with the private key")
	if err != nil {
		return err
	}
	if bytes.Equal(cert, f.cert) && bytes.Equal(key, f.key) && f.complaint == "" {
		return nil
	}
	pair, err := parsePair(f.certFile, f.keyFile, cert, key)
	if err != nil {
		return err
	}
	f.cert, f.key = cert, key
	f.current.Store(pair)
	leaf := pair.Leaf
	f.log.Info("read the TLS certificate", "file", f.certFile, "names", leaf.DNSNames, "addresses", leaf.IPAddresses, "not_after", leaf.NotAfter.UTC())
	if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		f.log.Warn("the TLS certificate is not valid today: clients will refuse it until it is renewed", "file", f.certFile,
			"not_before", leaf.NotBefore.UTC(), "not_after", leaf.NotAfter.UTC())
	}
	return nil
}

func readPEM(setting, path, expected string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; it must be %s, readable for this process", setting, err, expected)
	}
	if block, _ := pem.Decode(data); block == nil {
		return nil, fmt.Errorf("%s: %s has nothing in PEM form (-----BEGIN …); it must be %s", setting, path, expected)
	}
	return data, nil
}

// kindOf is what a block holds. What else stands there is not told: the file may be none of ours.
func kindOf(b *pem.Block) string {
	switch b.Type {
	case "CERTIFICATE", "TRUSTED CERTIFICATE", "CERTIFICATE REQUEST", "X509 CRL", "PUBLIC KEY", "PRIVATE KEY", "RSA PRIVATE KEY",
		"EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PARAMETERS", "DH PARAMETERS":
		return b.Type
	}
	return "something else"
}

// parsePair says of which file it is that there is no pair, which crypto/tls leaves open.
func parsePair(certFile, keyFile string, cert, key []byte) (*tls.Certificate, error) {
	kinds := func(data []byte) (all []string) {
		for {
			block, rest := pem.Decode(data)
			if block == nil {
				return all
			}
			all, data = append(all, kindOf(block)), rest
		}
	}
	in := func(all []string, what string) bool { return strings.Contains(strings.Join(all, "\n"), what) }
	certKinds, keyKinds := kinds(cert), kinds(key)
	switch {
	case !in(certKinds, "CERTIFICATE") && in(certKinds, "PRIVATE KEY") && in(keyKinds, "CERTIFICATE"):
		return nil, fmt.Errorf("server.tls: %s has the key and %s the certificate; swap certFile and keyFile", certFile, keyFile)
	case !in(certKinds, "CERTIFICATE"):
		return nil, fmt.Errorf("server.tls.certFile: %s has no certificate but %q; it must be a PEM file with the certificate and its chain", certFile, certKinds)
	case in(keyKinds, "ENCRYPTED") || strings.Contains(string(key), "Proc-Type: 4,ENCRYPTED"):
		return nil, fmt.Errorf("server.tls.keyFile: the key in %s has a passphrase; write it without: openssl pkey -in FILE -out NEW", keyFile)
	case !in(keyKinds, "PRIVATE KEY"):
		return nil, fmt.Errorf("server.tls.keyFile: %s has no private key but %q; it must be a PEM file with the private key", keyFile, keyKinds)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("server.tls: %s and %s cannot be used together: %w; give a certificate and the key that it was made for", certFile, keyFile, err)
	}
	return &pair, nil
}
