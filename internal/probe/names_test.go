package probe

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// A certificate for any of the Service's own names is accepted, and that name is published. A name from an annotation stays.
func TestCertificateNames(t *testing.T) {
	t.Attr("req", "DTS-PRB-11")
	ca, unknown := newAuthority(t), newAuthority(t)
	tests := []struct {
		name  string
		ca    *authority
		names []string
		fixed string
		want  observed
	}{
		{"the longest", ca, []string{testHost}, "", observed{Outcome: backend.Ready}},
		{"as ECK issues them", ca, []string{"web.shop.es.local", "web", "web.shop.svc", "web.shop"}, "", observed{Outcome: backend.Ready, Host: "web.shop.svc"}},
		{"as cert-manager does", ca, []string{"web.shop"}, "", observed{Outcome: backend.Ready, Host: "web.shop"}},
		{"any of the namespace", ca, []string{"*.shop.svc"}, "", observed{Outcome: backend.Ready, Host: "web.shop.svc"}},
		{"all of them", ca, []string{"web.shop", "web.shop.svc", testHost}, "", observed{Outcome: backend.Ready}},
		{"annotated", ca, []string{"web.shop.svc", "web.shop"}, "web.shop", observed{Outcome: backend.Ready}},
		{"annotated otherwise", ca, []string{"web.shop.svc"}, "web.shop", observed{Outcome: backend.UntrustedTLS, Missing: backend.MissingName, Detail: "no name that was tried (web.shop)"}},
		{"of an unknown authority", unknown, []string{"web.shop.svc"}, "", observed{Outcome: backend.UntrustedTLS, Host: "web.shop.svc", Missing: backend.MissingCA, Detail: "tls.caFile"}},
		{"of another Service", ca, []string{"other.shop.svc", "web.evil.svc", "*.svc"}, "", observed{Outcome: backend.UntrustedTLS, Missing: backend.MissingName, Detail: "is for other.shop.svc, web.evil.svc"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{tt.ca.issueFor(t, tt.names)}}, prometheus)
			if tt.fixed != "" {
				target.Candidate.Host, target.Candidate.FixedHost = tt.fixed, true
			}
			got := newProber(t, Options{RootCAs: ca.roots}).Probe(t.Context(), target)
			want := tt.want
			if want.Scheme = "https"; want.Outcome == backend.Ready {
				want.Identity, want.Version = true, "2.53.1"
			}
			expect(t, got, want)
			if got.Host != want.Host || got.Missing != want.Missing {
				t.Errorf("host %q, missing %q; want %q, %q", got.Host, got.Missing, want.Host, want.Missing)
			}
			if strings.Contains(said(got), "caFile") != (want.Missing == backend.MissingCA) {
				t.Errorf("a CA would help: %s", said(got))
			}
		})
	}
}

// A server may know only some names, and refuse the handshake for the others.
func TestUnrecognizedName(t *testing.T) {
	t.Attr("req", "DTS-PRB-11 DTS-PRB-3")
	ca := newAuthority(t)
	cert := ca.issueFor(t, []string{"web.shop.svc", "own.example.org"})
	knows := func(t *testing.T, name string) Target {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: prometheus, ErrorLog: log.New(io.Discard, "", 0)}
		t.Cleanup(func() { _ = s.Close() })
		go func() {
			_ = s.Serve(tls.NewListener(l, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				if hello.ServerName == name {
					return &cert, nil
				}
				return nil, nil // the alert unrecognized_name
			}}))
		}()
		target := targetAt(l.Addr(), lookupType(t, "prometheus"))
		target.Candidate.Scheme = "https"
		return target
	}
	p := newProber(t, Options{RootCAs: ca.roots})
	got := p.Probe(t.Context(), knows(t, "web.shop.svc"))
	expect(t, got, observed{Outcome: backend.Ready, Identity: true, Scheme: "https", Version: "2.53.1"})
	if got.Host != "web.shop.svc" {
		t.Errorf("host %q", got.Host)
	}
	for _, scheme := range []string{"https", "http"} { // plain, it says that it speaks TLS
		target := knows(t, "own.example.org")
		target.Candidate.Scheme = scheme
		got = p.Probe(t.Context(), target)
		expect(t, got, observed{Outcome: backend.UntrustedTLS, Scheme: "https", Detail: "unrecognized_name"})
		if got.Missing != backend.MissingName || got.Host != "" {
			t.Errorf("missing %q, host %q", got.Missing, got.Host)
		}
	}
}

// Plain HTTP that redirects to https on another port of the same Service is followed there, and nowhere else.
func TestRedirectToSecurePort(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-PRB-5 DTS-SEC-3")
	ca := newAuthority(t)
	var reached atomic.Int32
	secure := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, testHost, 1e12)}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		prometheus.ServeHTTP(w, r)
	}))
	number := secure.Candidate.PortNumber
	port := backend.Port{Name: "https", Number: number, Protocol: "TCP"}
	tests := []struct {
		name   string
		host   string
		port   backend.Port // of the Service
		change func(*backend.Candidate)
		ok     bool
	}{
		{"its long name", testHost, port, nil, true},
		{"a shorter one", "web.shop", port, nil, true},
		{"another host", "web.evil.svc.cluster.local", port, nil, false},
		{"another Service", "web2.shop.svc.cluster.local", port, nil, false},
		{"a port that it does not have", testHost, backend.Port{Name: "https", Number: 1, Protocol: "TCP"}, nil, false},
		{"a port of UDP", testHost, backend.Port{Number: number, Protocol: "UDP"}, nil, false},
		{"its owner fixed the scheme", testHost, port, func(c *backend.Candidate) { c.FixedScheme = true }, false},
		{"a foreign host", testHost, port, func(c *backend.Candidate) { c.ForeignHost, c.Host = true, "127.0.0.1" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reached.Store(0)
			to := "https://" + net.JoinHostPort(tt.host, portText(number))
			target := serve(t, lookupType(t, "prometheus"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, to+r.URL.RequestURI(), http.StatusMovedPermanently)
			}))
			target.Candidate.Service.Ports = []backend.Port{tt.port}
			if tt.change != nil {
				tt.change(target.Candidate)
			}
			got := newProber(t, Options{RootCAs: ca.roots}).Probe(t.Context(), target)
			f := backend.Finding{Candidate: target.Candidate, Observation: got}
			if moved := got.Port == number && f.Endpoint() == "https://"+net.JoinHostPort(testHost, portText(number)); moved != tt.ok ||
				(reached.Load() > 0) != tt.ok || (got.Outcome == backend.Ready) != tt.ok {
				t.Errorf("%s at %s after %d requests there: %s", got.Outcome, f.Endpoint(), reached.Load(), said(got))
			}
		})
	}
}

func portText(n int32) string {
	return netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(n)).String()[len("0.0.0.0:"):]
}

// If one address of a dual-stack Service does not answer, the other one is probed at once.
func TestDualStack(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	target := serve(t, nil, answers{"*": {body: "fine"}})
	s := target.Candidate.Service
	s.ClusterIP, s.ClusterIPs = "127.9.9.9", []string{"127.9.9.9", "127.0.0.1"} // nothing listens at the first
	got := newProber(t, Options{Tries: 1}).Probe(t.Context(), target)
	expect(t, got, observed{Outcome: backend.Ready, Scheme: "http"})
	if len(got.Requests) != 2 || got.Requests[0].Try != 1 || got.Requests[1].Try != 2 {
		t.Errorf("requests %+v", got.Requests)
	}
	s.ClusterIPs[1] = "169.254.169.254"
	if got := newProber(t, Options{}).Probe(t.Context(), target); got.Cause != backend.CauseDenied || len(got.Requests) > 0 {
		t.Errorf("a denied second address: %s %s: %s", got.Outcome, got.Cause, said(got))
	}
}

// A record that a stranger may have written leads only to the Service itself.
func TestWithin(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	c := &backend.Candidate{Service: &backend.Service{Ref: backend.Ref{Namespace: "shop", Name: "web"}, Ports: []backend.Port{{Number: 443}}}, Host: testHost}
	for host, want := range map[string]bool{"": true, testHost: true, "web.shop.svc": true, "web.shop": true, "web": false, "evil.example": false, "web.evil.svc": false} {
		if got := Within(c, &backend.Observation{Host: host}); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
	if Within(c, &backend.Observation{Scheme: "http", Host: "web.shop"}) || !Within(c, &backend.Observation{Scheme: "http", Host: testHost}) {
		t.Error("a shorter name stands for a certificate, which plain HTTP does not have")
	}
	for port, want := range map[int32]bool{0: true, 443: true, 22: false} {
		if got := Within(c, &backend.Observation{Port: port}); got != want {
			t.Errorf("%d: %t", port, got)
		}
	}
}

// A shorter name may be a host of another zone. It is published only if a certificate is for it, not with plain HTTP, and it is
// never resolved.
func TestShortNamesLeadNowhere(t *testing.T) {
	t.Attr("req", "DTS-PRB-11 DTS-SEC-3")
	ca := newAuthority(t)
	cert := ca.issueFor(t, []string{"web.shop"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if n == 0 { // which shows the name, and plain HTTP from then on
				_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
				_ = conn.Close()
				continue
			}
			go func() { _ = http.Serve(&oneConn{Listener: l, conn: conn}, prometheus) }()
		}
	}()
	target := targetAt(l.Addr(), lookupType(t, "prometheus"))
	target.Candidate.Scheme, target.Candidate.FullName = "https", testHost
	got := newProber(t, Options{RootCAs: ca.roots}).Probe(t.Context(), target)
	f := backend.Finding{Candidate: target.Candidate, Observation: got}
	if want := "http://" + testHost + ":" + portText(target.Candidate.PortNumber); got.Outcome != backend.Ready || f.Endpoint() != want {
		t.Errorf("%s at %s, want %s: %s", got.Outcome, f.Endpoint(), want, said(got))
	}
	for _, name := range []string{"web.shop", "web.shop.svc"} {
		c := backend.Candidate{Service: &backend.Service{ClusterIP: "None"}, Host: name, FullName: testHost, FixedHost: true, PortNumber: 9090}
		if got := Address(Target{Candidate: &c}); got != testHost+".:9090" {
			t.Errorf("%s is looked up as %s", name, got)
		}
	}
}

// Go's errors quote what a backend answers. Such a text is no alert of TLS, so no shorter name is tried, and nothing asks for a
// certificate.
func TestQuotedAlerts(t *testing.T) {
	t.Attr("req", "DTS-PRB-11 DTS-SEC-3")
	for name, answer := range map[string]string{
		"a header line":             "HTTP/1.1 200 OK\r\n(tls: unrecognized name\r\n\r\n",
		"a redirect":                "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: :tls: unrecognized name\r\n\r\n",
		"a first line":              "tls: unrecognized name\r\n\r\n",
		"a remote error":            "HTTP/1.1 200 OK\r\n(remote error: tls: unrecognized name\r\n\r\n",
		"a wish for a certificate":  "HTTP/1.1 200 OK\r\n(remote error: tls: bad certificate\r\n\r\n",
		"a certificate is required": "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: :tls: certificate required\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			target := raw(t, lookupType(t, "prometheus"), each(func(c net.Conn, r *http.Request, _ int) {
				if strings.HasPrefix(r.Host, testHost) {
					_, _ = io.WriteString(c, answer)
					return
				}
				w := httptest.NewRecorder()
				prometheus.ServeHTTP(w, r)
				res := w.Result()
				res.ContentLength = int64(w.Body.Len())
				_ = res.Write(c)
			}))
			got := newProber(t, Options{}).Probe(t.Context(), target)
			if got.Outcome != backend.WrongIdentity && got.Outcome != backend.Unreachable || got.Host != "" || got.Missing != "" {
				t.Errorf("%s at %q, missing %q: %s", got.Outcome, got.Host, got.Missing, said(got))
			}
		})
	}
}

// oneConn is a listener that accepts one connection and stays open.
type oneConn struct {
	net.Listener
	conn net.Conn
}

func (l *oneConn) Accept() (net.Conn, error) {
	conn := l.conn
	if l.conn = nil; conn == nil {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *oneConn) Close() error { return nil }
