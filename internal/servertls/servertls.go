// Package servertls makes the TLS configuration that the HTTP API and the metrics are served with. Certificates are renewed, or read again,
// while the process runs, when a connection asks for one: nothing runs in the background.
package servertls

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// Options of a TLS configuration.
type Options struct {
	TLS config.ServerTLS
	Log *slog.Logger // nil: no log
}

// New is nil for mode off. Its errors name the file and say what to do.
func New(o Options) (*tls.Config, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var get func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	switch o.TLS.Mode {
	case config.TLSOff, "":
		return nil, nil
	case config.TLSSelfSigned:
		s := newSelfSigned(o.TLS.Names, o.Log)
		if _, err := s.certificate(nil); err != nil {
			return nil, err
		}
		get = s.certificate
	case config.TLSFiles:
		f := &files{certFile: o.TLS.CertFile, keyFile: o.TLS.KeyFile, log: o.Log}
		if err := f.load(); err != nil {
			return nil, err
		}
		get = f.certificate
	default:
		return nil, fmt.Errorf("server.tls.mode: %q is none of %s, %s and %s", o.TLS.Mode, config.TLSOff, config.TLSSelfSigned, config.TLSFiles)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: get}, nil
}
