package cli

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// authorities returns a function that returns the certificate authorities of the system and of the file. The file is
// read again if it changes, because an authority can be renewed while the service runs. If a later read fails, the last
// valid authorities stay. Without a file, authorities returns nil.
func authorities(file string) (func() *x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	a := &authorityFile{name: file}
	if err := a.read(); err != nil {
		return nil, err
	}
	return a.current, nil
}

// authorityFile is a PEM file of certificate authorities.
type authorityFile struct {
	name string

	mu     sync.Mutex
	looked time.Time
	text   []byte
	pool   *x509.CertPool
}

// lookAgain is the age at which the file is read again when a probe needs it.
const lookAgain = time.Second

func (a *authorityFile) current() *x509.CertPool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.looked) >= lookAgain {
		_ = a.read() // a probe reports a certificate that the old authorities do not verify
	}
	return a.pool
}

func (a *authorityFile) read() error {
	a.looked = time.Now()
	text, err := os.ReadFile(a.name)
	if err != nil {
		return fmt.Errorf("config tls.caFile %s: %w", a.name, yamlfile.Bare(err))
	}
	if bytes.Equal(text, a.text) {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return fmt.Errorf("config tls.caFile %s: no certificate in it: expected PEM, with -----BEGIN CERTIFICATE-----",
			a.name)
	}
	a.text, a.pool = text, pool
	return nil
}
