package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Causes of unreachable.
const (
	causeRefused = "refused"
	causeTimeout = "timeout"
	causeDNS     = "dns"
	causeOther   = "other"
)

// ProxyError is the error of a RoundTripper through the API server if the API server itself refuses or fails.
type ProxyError struct{ Seen backend.Seen }

func (e ProxyError) Error() string { return "through the API server: " + string(e.Seen.Code) }

// failure describes what a request without a response means.
type failure struct {
	outcome backend.Outcome
	cause   string // for unreachable
	seen    backend.Seen
	again   bool // it may be temporary, so a retry makes sense
	wants   backend.Kind
	missing string
}

// classify returns the failure that a request's error means; the zero failure for nil.
func classify(err error, timeout time.Duration) failure {
	if err == nil {
		return failure{}
	}
	for _, f := range [...]failure{certificate(err), unconnected(err, timeout), badTLS(err), misspoken(err)} {
		if f.outcome != "" {
			return f
		}
	}
	_, broken, isBroken := strings.Cut(err.Error(), "transport connection broken: ")
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), idleClosed):
		return unreachable(backend.CauseClosed, backend.Seen{Code: backend.CodeConnectionClosed}, true)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return unreachable(causeOther, backend.Seen{Code: backend.CodeNoRoute}, true)
	case isBroken: // by the response: broken connections are handled above
		return strange(backend.Seen{Code: backend.CodeBadHTTP, Value: safetext.Clean(broken, shown)})
	}
	seen := backend.Seen{Code: backend.CodeUnreachable, Value: safetext.Clean(err.Error(), shown)}
	return unreachable(causeOther, seen, false)
}

func unreachable(cause string, seen backend.Seen, again bool) failure {
	return failure{outcome: backend.Unreachable, cause: cause, seen: seen, again: again}
}

// strange returns the failure of a server that does not speak HTTP correctly.
func strange(seen backend.Seen) failure {
	return failure{outcome: backend.WrongIdentity, seen: seen}
}

const idleClosed = "server closed idle connection"

// unconnected returns the failure if the connection was not made or broke; the zero failure for another error.
func unconnected(err error, timeout time.Duration) (none failure) {
	var denial denialError
	var proxy ProxyError
	var dns *net.DNSError
	var netErr net.Error
	switch {
	case errors.As(err, &denial):
		seen := backend.Seen{Code: backend.CodeAddressDenied, Denial: denial.Denial}
		return unreachable(backend.CauseDenied, seen, false)
	case errors.As(err, &proxy):
		if proxy.Seen.Code == backend.CodeProxyForbidden {
			return unreachable(backend.CauseForbidden, proxy.Seen, false)
		}
		return unreachable(causeOther, proxy.Seen, false)
	case errors.As(err, &dns):
		host := safetext.Clean(strings.TrimSuffix(dns.Name, "."), shown)
		seen := backend.Seen{Code: backend.CodeUnresolved, Host: host}
		return unreachable(causeDNS, seen, dns.IsTimeout || dns.IsTemporary)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &netErr) && netErr.Timeout():
		return unreachable(causeTimeout, backend.Seen{Code: backend.CodeTimeout, Wait: timeout}, true)
	case errors.Is(err, syscall.ECONNREFUSED):
		return unreachable(causeRefused, backend.Seen{Code: backend.CodeConnectionRefused}, true)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return unreachable(backend.CauseReset, backend.Seen{Code: backend.CodeConnectionReset}, true)
	}
	return none
}

// misspoken returns the failure if the backend does not speak HTTP correctly; the zero failure for another error.
func misspoken(err error) (none failure) {
	text := err.Error()
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return strange(backend.Seen{Code: backend.CodeHeaderSize, Limit: maxHeader >> 10})
	case errors.Is(err, errLines):
		return strange(backend.Seen{Code: backend.CodeHeaderLines, Limit: maxLines})
	case strings.Contains(text, "malformed "):
		return strange(backend.Seen{Code: backend.CodeNotHTTP})
	}
	return none
}

// badTLS returns the failure if the backend does not speak TLS, or not as it must; the zero failure for another error.
// It reads the types of errors, because their texts may quote the backend's answer.
func badTLS(err error) (none failure) {
	var record tls.RecordHeaderError
	errors.As(err, &record)
	problem := alert(err)
	if handshake := (handshakeError{}); problem == "" && errors.As(err, &handshake) {
		_, problem, _ = strings.Cut(handshake.Error(), "tls: ")
	}
	switch {
	case errors.Is(err, http.ErrSchemeMismatch), string(record.RecordHeader[:]) == "HTTP/":
		return unreachable(causeOther, backend.Seen{Code: backend.CodePlainHTTP}, false)
	case notTLS(err):
		return unreachable(causeOther, backend.Seen{Code: backend.CodeNotTLS}, false)
	case problem == "certificate required", problem == "bad certificate":
		seen := backend.Seen{Code: backend.CodeClientCertificate}
		return failure{outcome: backend.AuthRequired, wants: backend.KindCertificate, seen: seen}
	case problem == unrecognizedName:
		return untrusted(backend.MissingName, backend.Seen{Code: backend.CodeServerName})
	case problem != "":
		seen := backend.Seen{Code: backend.CodeHandshake, Value: safetext.Clean(problem, shown)}
		return unreachable(causeOther, seen, false)
	}
	return none
}

const unrecognizedName = "unrecognized name"

// alert returns Go's text for the TLS alert with which the server has ended the connection, "" if it has sent none.
func alert(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" { // as package crypto/tls calls what the other side sends
		return ""
	}
	return strings.TrimPrefix(op.Err.Error(), "tls: ")
}

func untrusted(missing string, seen backend.Seen) failure {
	return failure{outcome: backend.UntrustedTLS, missing: missing, seen: seen}
}

// certificate returns the failure if the backend's certificate is not accepted; the zero failure for another error.
func certificate(err error) (none failure) {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errHandshake):
		return untrusted("", backend.Seen{Code: backend.CodeCertificateLong, Limit: maxHandshake >> 10})
	case errors.As(err, &host):
		seen := backend.Seen{Code: backend.CodeCertificateName, Host: safetext.Clean(host.Host, shown)}
		seen.Names, seen.Number = certificateNames(host.Certificate)
		return untrusted(backend.MissingName, seen)
	case errors.As(err, &unknown):
		return untrusted(backend.MissingCA, backend.Seen{Code: backend.CodeCertificateCA})
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		from, until := invalid.Cert.NotBefore.UTC(), invalid.Cert.NotAfter.UTC()
		return untrusted("", backend.Seen{Code: backend.CodeCertificateDates, From: from, Until: until})
	case errors.As(err, &invalid), errors.As(err, &verification):
		return untrusted("", backend.Seen{Code: backend.CodeCertificate, Value: safetext.Clean(err.Error(), shown)})
	}
	return none
}

// certificateNames returns the first names of a certificate and the number of all its names.
func certificateNames(c *x509.Certificate) (names []string, number int) {
	const few = 3
	for _, name := range c.DNSNames[:min(len(c.DNSNames), few)] {
		names = append(names, safetext.Clean(name, shown))
	}
	for _, ip := range c.IPAddresses[:min(len(c.IPAddresses), few-len(names))] {
		names = append(names, ip.String())
	}
	return names, len(c.DNSNames) + len(c.IPAddresses)
}

// notTLS reports whether the backend does not answer a TLS handshake with TLS.
func notTLS(err error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(tls.RecordHeaderError))
}

// noteScheme records that an error suggests the other scheme.
func (s *session) noteScheme(err error) {
	text := err.Error()
	alerted := strings.Contains(text, "malformed HTTP") && strings.Contains(text, `\x15\x03`) // in TLS
	switch {
	case s.answered, certificate(err).outcome != "": // the scheme works
	case s.cand.Scheme == "https" && notTLS(err):
		s.otherScheme = true
	case s.cand.Scheme == "http" && alerted:
		s.otherScheme, s.sure = true, true
	// Elasticsearch and others close a plain connection to their TLS port without a response; some TLS terminators
	// reset it.
	case errors.Is(err, io.EOF), strings.Contains(text, idleClosed), errors.Is(err, syscall.ECONNRESET):
		s.otherScheme = true
	}
}
