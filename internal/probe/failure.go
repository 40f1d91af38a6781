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
	code    backend.Code
	detail  string
	again   bool // it may pass
	wants   backend.Kind
	missing string
}

// classify an error of a request. nil gives the zero failure.
func classify(err error, timeout time.Duration) failure {
	unreachable := func(cause string, code backend.Code, detail string, again bool) failure {
		return failure{outcome: backend.Unreachable, cause: cause, code: code, detail: detail, again: again}
	}
	if err == nil {
		return failure{}
	}
	if detail, missing := certificate(err); detail != "" {
		remedy := map[string]string{
			backend.MissingCA: "give its CA in tls.caFile", backend.MissingName: "have it issued for one of them", "": "have it renewed",
		}[missing]
		code := map[string]backend.Code{
			backend.MissingCA: backend.CodeCertificateCA, backend.MissingName: backend.CodeCertificateName, "": backend.CodeCertificate,
		}[missing]
		return failure{outcome: backend.UntrustedTLS, missing: missing, code: code, detail: detail +
			"; " + remedy + ", or list the Service in tls.insecureSkipVerify"}
	}
	var dns *net.DNSError
	var netErr net.Error
	text := err.Error()
	switch {
	case errors.Is(err, errDenied):
		return unreachable(backend.CauseDenied, backend.CodeAddressDenied, "not connected: "+denial(err), false)
	case errors.Is(err, ErrForbidden):
		return unreachable(backend.CauseForbidden, backend.CodeProxyForbidden, safetext.Clean(bare(err), shown), false)
	case errors.As(err, &dns):
		return unreachable(causeDNS, backend.CodeUnresolved, fmt.Sprintf("DNS does not resolve %s: the name is wrong, the Service is gone or DNS is down",
			safetext.Clean(strings.TrimSuffix(dns.Name, "."), shown)), dns.IsTimeout || dns.IsTemporary)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return unreachable(causeTimeout, backend.CodeTimeout, fmt.Sprintf("no complete answer within %s: often a NetworkPolicy that drops the connection, or an overloaded backend", timeout), true)
	case errors.Is(err, syscall.ECONNREFUSED):
		return unreachable(causeRefused, backend.CodeConnectionRefused, "connection refused: nothing listens on that port, or no ready pod is behind the Service", true)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return unreachable(backend.CauseReset, backend.CodeConnectionReset, "connection reset: the backend or something before it broke off, often a restart or a proxy's rule", true)
	case errors.Is(err, http.ErrSchemeMismatch):
		return unreachable(causeOther, backend.CodePlainHTTP, "it answers plain HTTP, not https", false)
	case isNotTLS(err):
		return unreachable(causeOther, backend.CodeNotTLS, "it does not speak TLS on that port", false)
	case strings.Contains(text, "tls: certificate required"), strings.Contains(text, "tls: bad certificate"):
		return failure{outcome: backend.AuthRequired, wants: backend.KindCertificate, code: backend.CodeClientCertificate, detail: "it wants a client certificate"}
	case strings.Contains(text, unrecognizedName):
		return failure{outcome: backend.UntrustedTLS, missing: backend.MissingName, code: backend.CodeCertificateName, detail: "it refuses TLS for the Service's own names " +
			"(unrecognized_name): it knows only the names that it is configured for; configure one of the Service's there"}
	case strings.Contains(text, "tls: "):
		_, problem, _ := strings.Cut(text, "tls: ")
		return unreachable(causeOther, backend.CodeHandshake, "the TLS handshake fails: "+safetext.Clean(problem, shown), false)
	case strings.Contains(text, "response headers exceeded"):
		return failure{outcome: backend.WrongIdentity, code: backend.CodeNotHTTP, detail: "its answer's headers are over 64 KiB"}
	case errors.Is(err, errLines):
		return failure{outcome: backend.WrongIdentity, code: backend.CodeNotHTTP, detail: errLines.Error()}
	case strings.Contains(text, "malformed "):
		return failure{outcome: backend.WrongIdentity, code: backend.CodeNotHTTP, detail: "it does not speak HTTP/1.1 on that port"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "server closed idle connection"):
		return unreachable(backend.CauseClosed, backend.CodeConnectionClosed, "it closed the connection without a complete answer: often a TLS port asked in plain HTTP, or a crash", true)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return unreachable(causeOther, backend.CodeNoRoute, "no route to it: a ClusterIP can be reached from inside the cluster only", true)
	case strings.Contains(text, "transport connection broken: "): // not by the connection: that was looked at above
		_, problem, _ := strings.Cut(text, "transport connection broken: ")
		problem = safetext.Clean(problem, shown)
		return failure{outcome: backend.WrongIdentity, code: backend.CodeNotHTTP, detail: "its answer is not valid HTTP/1.1: " + problem}
	}
	return unreachable(causeOther, backend.CodeUnreachable, safetext.Clean(bare(err), shown), false)
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
// missing is what would mend it, as in backend.Observation.
func certificate(err error) (problem, missing string) {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &host):
		return fmt.Sprintf("its certificate is not for %s, nor for a shorter name of the Service, but for %s",
			safetext.Clean(host.Host, shown), certificateNames(host.Certificate)), backend.MissingName
	case errors.As(err, &unknown):
		return "its certificate is signed by an unknown authority", backend.MissingCA
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("its certificate has expired or is not valid yet (%s to %s)",
			invalid.Cert.NotBefore.UTC().Format(time.DateOnly), invalid.Cert.NotAfter.UTC().Format(time.DateOnly)), ""
	case errors.As(err, &invalid), errors.As(err, &verification):
		return "its certificate is not valid: " + safetext.Clean(err.Error(), shown), ""
	}
	return "", ""
}

// certificateNames are the first names that a certificate is for.
func certificateNames(c *x509.Certificate) string {
	const few = 3
	names := c.DNSNames
	for _, ip := range c.IPAddresses[:min(len(c.IPAddresses), few)] {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no name at all"
	}
	text := strings.Join(names[:min(len(names), few)], ", ")
	if len(names) > few {
		text += ", …"
	}
	return safetext.Clean(text, shown)
}

// speaksTLS: the error is about a certificate.
func speaksTLS(err error) bool {
	problem, _ := certificate(err)
	return problem != ""
}

func isNotTLS(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record)
}

// noteScheme remembers that an error is what comes of asking in the wrong scheme.
func (s *session) noteScheme(err error) {
	text := err.Error()
	switch {
	case s.answered, speaksTLS(err): // it has answered in this scheme, or speaks TLS
	case s.scheme == "https" && (errors.Is(err, http.ErrSchemeMismatch) || isNotTLS(err)):
		s.otherScheme = "it does not answer in TLS"
	case s.scheme == "http" && strings.Contains(text, "malformed HTTP") && strings.Contains(text, `\x15\x03`):
		s.otherScheme, s.sure = "it answers plain HTTP with a TLS alert", true
	// Elasticsearch, among others, closes a plain connection to its TLS port without a word; some TLS terminators reset it.
	case errors.Is(err, io.EOF), strings.Contains(text, "server closed idle connection"), errors.Is(err, syscall.ECONNRESET):
		s.otherScheme = "it closed the connection without an answer"
	}
}
