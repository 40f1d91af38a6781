package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/config"
)

func TestOff(t *testing.T) {
	t.Attr("req", "DTS-CFG-1")
	for _, mode := range []string{"", config.TLSOff} {
		if c, err := TLS(config.ServerTLS{Mode: mode}, unlogged); c != nil || err != nil {
			t.Errorf("mode %q: %v %v", mode, c, err)
		}
	}
}

// current is the certificate that a connection gets.
func current(t testing.TB, c *tls.Config) *x509.Certificate {
	t.Helper()
	cert, err := c.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

func TestSelfSignedServes(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	c, err := TLS(config.ServerTLS{Mode: config.TLSSelfSigned, Names: []string{"api.kubernaut-system.svc", "10.1.2.3", "localhost"}}, unlogged)
	if err != nil {
		t.Fatal(err)
	}
	leaf := current(t, c)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	for _, name := range []string{"localhost", "127.0.0.1", "::1", host, "api.kubernaut-system.svc", "10.1.2.3"} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := leaf.VerifyHostname("example.org"); err == nil {
		t.Error("it is good for example.org too")
	}
	// a signature by RSA, which every stranger's connection costs, takes thirty times as long
	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() || leaf.IsCA {
		t.Errorf("key %T, authority: %t", leaf.PublicKey, leaf.IsCA)
	}
	if n := len(leaf.DNSNames) + len(leaf.IPAddresses); n != 6 && host != "localhost" {
		t.Errorf("names %q and %v", leaf.DNSNames, leaf.IPAddresses)
	}

	addr := serveTLS(t, c)
	for _, v := range []struct {
		version uint16
		ok      bool
	}{{tls.VersionTLS13, true}, {tls.VersionTLS12, true}, {tls.VersionTLS11, false}} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: v.version,
		}}
		resp, err := (&http.Client{Transport: transport}).Get("https://" + addr)
		if (err == nil) != v.ok {
			t.Fatalf("%s: %v", tls.VersionName(v.version), err)
		}
		if err == nil {
			resp.Body.Close()
			if resp.TLS.Version != v.version {
				t.Errorf("%s, want %s", tls.VersionName(resp.TLS.Version), tls.VersionName(v.version))
			}
		}
		transport.CloseIdleConnections()
	}
}

// serve serves on loopback until the test ends.
func serveTLS(t *testing.T, c *tls.Config) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		TLSConfig: c, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }),
	}
	go s.ServeTLS(l, "", "") //nolint:errcheck // it ends with the test
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// A process that runs for years never shows a certificate that has ended, nor one that ends soon.
func TestSelfSignedIsRenewed(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c, err := TLS(config.ServerTLS{Mode: config.TLSSelfSigned}, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		const days = 730
		seen := map[string]bool{}
		for range days {
			leaf := current(t, c)
			seen[leaf.SerialNumber.String()] = true
			if left := time.Until(leaf.NotAfter); left < 29*24*time.Hour {
				t.Fatalf("%s left", left)
			}
			if !time.Now().After(leaf.NotBefore) {
				t.Fatalf("not valid before %s", leaf.NotBefore)
			}
			<-time.After(24 * time.Hour)
		}
		if n := len(seen); n < 12 || n > 14 || strings.Count(log.String(), "self-signed") != n {
			t.Errorf("%d certificates in %d days, want one in 60; log:\n%s", n, days, log.String())
		}
	})
}

func TestSelfSignedBadName(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	_, err := TLS(config.ServerTLS{Mode: config.TLSSelfSigned, Names: []string{"dienst-ü"}}, unlogged)
	if err == nil || !strings.Contains(err.Error(), "dienst-ü") {
		t.Errorf("error %v", err)
	}
}
