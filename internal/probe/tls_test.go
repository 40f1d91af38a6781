package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// authority signs certificates of the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{cert: cert, key: key, pool: x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a
}

// roots returns the authorities for a Prober.
func (a *authority) roots() *x509.CertPool { return a.pool }

func (a *authority) issue(t *testing.T, name string, until time.Duration) tls.Certificate {
	t.Helper()
	return a.sign(t, []string{name}, until)
}

func (a *authority) issueFor(t *testing.T, names []string) tls.Certificate {
	t.Helper()
	return a.sign(t, names, time.Hour)
}

func (a *authority) sign(t *testing.T, names []string, until time.Duration) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: names,
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(until),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serveTLS starts an https backend with that configuration.
func serveTLS(t *testing.T, config *tls.Config, h http.Handler) Target {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	target := targetAt(s.Listener.Addr(), lookupType(t, "prometheus"))
	target.Candidate.Scheme = "https"
	return target
}

func TestTLS(t *testing.T) {
	t.Attr("req", "DTS-PRB-3 DTS-PRB-5")
	ours, theirs := newAuthority(t), newAuthority(t)
	insecure := func(r backend.Ref) bool { return r == backend.Ref{Namespace: "shop", Name: "web"} }
	ready := observed{Outcome: backend.Ready, Identity: true, Version: "2.53.1"}
	unchecked := ready
	unchecked.SkipVerify = true
	untrusted := func(detail string) observed {
		return observed{Outcome: backend.UntrustedTLS, Detail: detail}
	}
	tests := []struct {
		name string
		cert tls.Certificate
		opts Options
		want observed
	}{
		{"trusted", ours.issue(t, testHost, time.Hour), Options{RootCAs: ours.roots}, ready},
		{"unknown authority", theirs.issue(t, testHost, time.Hour), Options{RootCAs: ours.roots}, untrusted("unknown authority")},
		{"unknown to the system", ours.issue(t, testHost, time.Hour), Options{}, untrusted("tls.caFile")},
		{"for another name", ours.issue(t, "other.example", time.Hour), Options{RootCAs: ours.roots}, untrusted("no name that was tried (" + testHost + ")")},
		{"expired", ours.issue(t, testHost, -time.Hour), Options{RootCAs: ours.roots}, untrusted("expired")},
		{"named as trusted unchecked", theirs.issue(t, "other.example", -time.Hour), Options{RootCAs: ours.roots, Insecure: insecure}, unchecked},
		{"another is named", theirs.issue(t, testHost, time.Hour), Options{RootCAs: ours.roots, Insecure: func(backend.Ref) bool { return false }}, untrusted("tls.insecureSkipVerify")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked string
			target := serveTLS(t, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				asked = hello.ServerName
				return &tt.cert, nil
			}}, prometheus)
			got := newProber(t, tt.opts).Probe(t.Context(), target)
			tt.want.Scheme = "https"
			expect(t, got, tt.want)
			if asked != testHost {
				t.Errorf("SNI %q", asked)
			}
		})
	}
}

func TestClientCertificateWanted(t *testing.T) {
	t.Attr("req", "DTS-PRB-3")
	ca := newAuthority(t)
	target := serveTLS(t, &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, testHost, time.Hour)}, ClientAuth: tls.RequireAnyClientCert,
	}, prometheus)
	expect(t, newProber(t, Options{RootCAs: ca.roots}).Probe(t.Context(), target),
		observed{Outcome: backend.AuthRequired, Scheme: "https", Detail: "client certificate"})
}

// The other scheme is tried only if a response asks for it.
func TestOtherScheme(t *testing.T) {
	t.Attr("req", "DTS-PRB-2")
	ca := newAuthority(t)
	p := newProber(t, Options{RootCAs: ca.roots})
	goTLS := func(t *testing.T) Target {
		return serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, testHost, time.Hour)}}, prometheus)
	}
	plain := func(t *testing.T) Target { return serve(t, lookupType(t, "prometheus"), prometheus) }
	// reaching proxies to a TLS backend whatever starts as TLS, and treats plain HTTP as some software does.
	reaching := func(plainly func(net.Conn)) func(t *testing.T) Target {
		return func(t *testing.T) Target {
			behind := goTLS(t)
			return raw(t, lookupType(t, "prometheus"), func(c net.Conn) {
				first := make([]byte, 1)
				if _, err := io.ReadFull(c, first); err != nil {
					return
				}
				if first[0] != 0x16 { // no TLS handshake
					plainly(c)
					return
				}
				d, err := net.Dial("tcp", Address(behind))
				if err != nil {
					t.Error(err)
					return
				}
				defer d.Close()
				_ = d.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = d.Write(first)
				go func() { _, _ = io.Copy(d, c); _ = d.Close() }()
				_, _ = io.Copy(c, d)
			})
		}
	}
	silent := reaching(func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }) // as Elasticsearch does
	alert := reaching(func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte{0x15, 3, 1, 0, 2, 2, 70})
	})
	leads := reaching(func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://"+testHost+":"+portOf(c)+"/api/v1/status/buildinfo\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	nginx := reaching(func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 72\r\nConnection: close\r\n\r\n<html><title>400 The plain HTTP request was sent to HTTPS port</title>  ")
	})
	ready := observed{Outcome: backend.Ready, Identity: true, Version: "2.53.1"}
	tests := []struct {
		name   string
		target func(*testing.T) Target
		scheme string
		fixed  bool
		want   observed
		found  string
	}{
		{"http to TLS", goTLS, "http", false, ready, "https"},
		{"http to TLS that closes", silent, "http", false, ready, "https"},
		{"http to TLS that alerts", alert, "http", false, ready, "https"},
		{"http to TLS behind nginx", nginx, "http", false, ready, "https"},
		{"http to TLS on the same port, by a redirect", leads, "http", false, ready, "https"},
		{"https to plain", plain, "https", false, ready, "http"},
		{"http to TLS, fixed", goTLS, "http", true, observed{Outcome: backend.WrongIdentity, Detail: "toolset-scheme"}, "http"},
		{"https to plain, fixed", plain, "https", true, observed{Outcome: backend.Unreachable, Cause: causeOther, Detail: "plain HTTP"}, "https"},
		{"neither", func(t *testing.T) Target {
			return raw(t, lookupType(t, "prometheus"), func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) })
		}, "http", false, observed{Outcome: backend.Unreachable, Cause: backend.CauseClosed}, "http"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := tt.target(t)
			target.Candidate.Scheme, target.Candidate.FixedScheme = tt.scheme, tt.fixed
			tt.want.Scheme = tt.found
			expect(t, p.Probe(t.Context(), target), tt.want)
		})
	}
	t.Run("custom", func(t *testing.T) {
		target := goTLS(t)
		target.Type, target.Candidate.Scheme = nil, "http"
		expect(t, p.Probe(t.Context(), target), observed{Outcome: backend.Ready, Scheme: "https"})
	})
}

func portOf(c net.Conn) string {
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	return port
}
