package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Causes of unreachable (DTS-PRB-3).
const (
	causeRefused = "refused"
	causeTimeout = "timeout"
	causeReset   = "reset"
	causeClosed  = "closed"
	causeDNS     = "dns"
	causeOther   = "other"
)

// ErrForbidden is the error of a RoundTripper that may not carry requests to the backend: the API server's service proxy,
// for a user without the right. Its text and what wraps it say which right that is.
var ErrForbidden = errors.New("the API server does not let you through (403): your user needs get on services/proxy")

// failure is what a request without an answer means.
type failure struct {
	outcome backend.Outcome
	cause   string // for unreachable
	detail  string
	again   bool // it may pass
}

// classify an error of a request. nil gives the zero failure.
func classify(err error, timeout time.Duration) failure {
	unreachable := func(cause, detail string, again bool) failure {
		return failure{backend.Unreachable, cause, detail, again}
	}
	if err == nil {
		return failure{}
	}
	if detail := certificate(err); detail != "" {
		return failure{outcome: backend.UntrustedTLS, detail: detail +
			"; give its CA in tls.caFile, or list the Service in tls.insecureSkipVerify"}
	}
	var dns *net.DNSError
	var netErr net.Error
	text := err.Error()
	switch {
	case errors.Is(err, errDenied):
		return unreachable(backend.CauseDenied, "not connected: "+denial(err), false)
	case errors.Is(err, ErrForbidden):
		return unreachable(backend.CauseForbidden, safetext.Clean(bare(err), shown), false)
	case errors.As(err, &dns):
		return unreachable(causeDNS, fmt.Sprintf("DNS does not resolve %s: the name is wrong, the Service is gone or DNS is down",
			safetext.Clean(strings.TrimSuffix(dns.Name, "."), shown)), dns.IsTimeout || dns.IsTemporary)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return unreachable(causeTimeout, fmt.Sprintf("no complete answer within %s: often a NetworkPolicy that drops the connection, or an overloaded backend", timeout), true)
	case errors.Is(err, syscall.ECONNREFUSED):
		return unreachable(causeRefused, "connection refused: nothing listens on that port, or no ready pod is behind the Service", true)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return unreachable(causeReset, "connection reset: the backend or something before it broke off, often a restart or a proxy's rule", true)
	case errors.Is(err, http.ErrSchemeMismatch):
		return unreachable(causeOther, "it answers plain HTTP, not https", false)
	case isNotTLS(err):
		return unreachable(causeOther, "it does not speak TLS on that port", false)
	case strings.Contains(text, "tls: certificate required"), strings.Contains(text, "tls: bad certificate"):
		return failure{outcome: backend.AuthRequired, detail: "it wants a client certificate"}
	case strings.Contains(text, "tls: "):
		_, problem, _ := strings.Cut(text, "tls: ")
		return unreachable(causeOther, "the TLS handshake fails: "+safetext.Clean(problem, shown), false)
	case strings.Contains(text, "response headers exceeded"):
		return failure{outcome: backend.WrongIdentity, detail: "its answer's headers are over 64 KiB"}
	case errors.Is(err, errLines):
		return failure{outcome: backend.WrongIdentity, detail: errLines.Error()}
	case strings.Contains(text, "malformed "):
		return failure{outcome: backend.WrongIdentity, detail: "it does not speak HTTP/1.1 on that port"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "server closed idle connection"):
		return unreachable(causeClosed, "it closed the connection without a complete answer: often a TLS port asked in plain HTTP, or a crash", true)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return unreachable(causeOther, "no route to it: a ClusterIP can be reached from inside the cluster only", true)
	case strings.Contains(text, "transport connection broken: "): // not by the connection: that was looked at above
		_, problem, _ := strings.Cut(text, "transport connection broken: ")
		problem = safetext.Clean(problem, shown)
		return failure{outcome: backend.WrongIdentity, detail: "its answer is not valid HTTP/1.1: " + problem}
	}
	return unreachable(causeOther, safetext.Clean(bare(err), shown), false)
}

// bare is the text of a request's error without the URL, which is told beside it.
func bare(err error) string {
	if request := (*url.Error)(nil); errors.As(err, &request) {
		err = request.Err
	}
	return err.Error()
}

// denial is the part of an error that says which address is denied by what, without the dialer's words around it.
func denial(err error) string {
	for {
		var op *net.OpError
		if !errors.As(err, &op) {
			break
		}
		err = op.Err
	}
	return safetext.Clean(err.Error(), shown)
}

// certificate says what is wrong with a backend's certificate, or "" if the error is about something else.
func certificate(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &host):
		return fmt.Sprintf("its certificate is not for %s (name mismatch)", safetext.Clean(host.Host, shown))
	case errors.As(err, &unknown):
		return "its certificate is signed by an unknown authority"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("its certificate has expired or is not valid yet (%s to %s)",
			invalid.Cert.NotBefore.UTC().Format(time.DateOnly), invalid.Cert.NotAfter.UTC().Format(time.DateOnly))
	case errors.As(err, &invalid), errors.As(err, &verification):
		return "its certificate is not valid: " + safetext.Clean(err.Error(), shown)
	}
	return ""
}

func isNotTLS(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record)
}

// noteScheme remembers that an error is what comes of asking in the wrong scheme.
func (s *session) noteScheme(err error) {
	text := err.Error()
	switch {
	case s.answered, certificate(err) != "": // it has answered in this scheme, or speaks TLS
	case s.scheme == "https" && (errors.Is(err, http.ErrSchemeMismatch) || isNotTLS(err)):
		s.otherScheme = "it does not answer in TLS"
	case s.scheme == "http" && strings.Contains(text, "malformed HTTP") && strings.Contains(text, `\x15\x03`):
		s.otherScheme = "it answers plain HTTP with a TLS alert"
	// Elasticsearch, among others, closes a plain connection to its TLS port without a word; some TLS terminators reset it.
	case errors.Is(err, io.EOF), strings.Contains(text, "server closed idle connection"), errors.Is(err, syscall.ECONNRESET):
		s.otherScheme = "it closed the connection without an answer"
	}
}
