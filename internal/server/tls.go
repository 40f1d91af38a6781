package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// TLS is what the API and the metrics are served with, nil for mode off. Certificates are renewed, or read again, when a
// connection asks for one: nothing runs in the background. Errors name the file and say what to do. log may be nil.
func TLS(c config.ServerTLS, log *slog.Logger) (*tls.Config, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var get func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	switch c.Mode {
	case config.TLSOff, "":
		return nil, nil
	case config.TLSSelfSigned:
		s := newSelfSigned(c.Names, log)
		if _, err := s.certificate(nil); err != nil {
			return nil, err
		}
		get = s.certificate
	case config.TLSFiles:
		f := &files{certFile: c.CertFile, keyFile: c.KeyFile, log: log}
		if err := f.load(); err != nil {
			return nil, err
		}
		get = f.certificate
	default:
		return nil, fmt.Errorf("server.tls.mode: %q is none of %s, %s and %s", c.Mode, config.TLSOff, config.TLSSelfSigned, config.TLSFiles)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: get}, nil
}
