// Package bridge carries requests from outside a cluster to its backends, with the rights of the kubeconfig's user. It
// listens on 127.0.0.1 and uses the API server's service proxy, or a port-forward to a pod.
package bridge

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// Options of a Bridge.
type Options struct {
	Cluster *rest.Config
	// ForwardOnly disables the service proxy.
	ForwardOnly bool
	// RootCAs returns the authorities for backends' certificates, nil for the system's. Insecure reports whether a
	// Service's certificate is not verified. Both apply to port-forwards: the API server verifies no backend's
	// certificate.
	RootCAs  func() *x509.CertPool
	Insecure func(backend.Ref) bool
}

// Bridge knows the ways to backends.
type Bridge struct {
	options Options
	proxies func(*backend.Candidate) http.RoundTripper
	pods    *pods
	refused sync.Map // backend.Ref + method: what the API server's proxy is not allowed
}

// New makes a Bridge. An error is about the kubeconfig.
func New(o Options) (*Bridge, error) {
	proxies, err := ServiceProxies(o.Cluster)
	if err != nil {
		return nil, err
	}
	pods, err := newPods(o.Cluster)
	if err != nil {
		return nil, err
	}
	return &Bridge{options: o, proxies: proxies, pods: pods}, nil
}

// Direct reports whether this machine reaches a backend directly, because it is not a Service of the cluster.
func Direct(c *backend.Candidate) bool { return c.Service.Type == backend.TypeOutside || c.ForeignHost }

// Carry returns the transport for a candidate's requests, nil if this machine reaches it directly.
func (b *Bridge) Carry(c *backend.Candidate) http.RoundTripper {
	if Direct(c) {
		return nil
	}
	return b.carrier(c)
}

func (b *Bridge) carrier(c *backend.Candidate) *carrier {
	var roots *x509.CertPool
	if b.options.RootCAs != nil {
		roots = b.options.RootCAs()
	}
	return &carrier{bridge: b, candidate: c, proxy: b.proxies(c), forward: &http.Transport{
		DialContext: b.pods.to(c),
		TLSClientConfig: &tls.Config{
			ServerName: c.Host, RootCAs: roots,
			InsecureSkipVerify: b.options.Insecure(c.Service.Ref), //nolint:gosec // the configuration names them
		},
		DisableCompression: true,
		IdleConnTimeout:    90 * time.Second, //nolint:mnd // as http.DefaultTransport has it
	}}
}

// carrier sends a backend's requests through the service proxy if that is possible, else to a pod.
type carrier struct {
	bridge    *Bridge
	candidate *backend.Candidate
	proxy     http.RoundTripper
	forward   *http.Transport
}

// maxBody is the largest body of a request, in bytes. It is kept so that a port-forward can send it again.
const maxBody = 8 << 20

// errTooLarge is the error for a request with a larger body.
var errTooLarge = fmt.Errorf("the body is larger than %d MiB", maxBody>>20)

// RoundTrip implements http.RoundTripper.
func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	if !c.proxied(r) {
		return c.forward.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		r.Body.Close()
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading the body of the request: %w", err)
		case len(body) > maxBody:
			return nil, errTooLarge
		}
	}
	resp, err := c.proxy.RoundTrip(withBody(r, body))
	if !forbidden(err) {
		if resp != nil {
			resp.Request = r // redirects are relative to it
		}
		return resp, err
	}
	c.bridge.refused.Store(c.key(r.Method), true)
	resp, second := c.forward.RoundTrip(withBody(r, body))
	if second != nil {
		first := &RightsError{c.candidate.Service.Namespace, "services/proxy", verb(r.Method)}
		return nil, fmt.Errorf("%w; by port-forward: %w", first, second)
	}
	return resp, nil
}

// withBody returns a copy of the request that sends the body.
func withBody(r *http.Request, body []byte) *http.Request {
	out := r.Clone(r.Context())
	if r.Body != nil {
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return out
}

type refusal struct {
	backend.Ref
	method string
}

func (c *carrier) key(method string) refusal { return refusal{c.candidate.Service.Ref, method} }

// proxied reports whether the service proxy can carry the request. The service proxy removes the header Authorization,
// and decodes an encoded slash.
func (c *carrier) proxied(r *http.Request) bool {
	return !c.closed(r.Method) && !authorized(r.Header) && !strings.Contains(strings.ToLower(r.URL.RawPath), "%2f")
}

// closed reports whether the service proxy must not be used at all.
func (c *carrier) closed(method string) bool {
	_, refused := c.bridge.refused.Load(c.key(method))
	return refused || c.bridge.options.ForwardOnly
}

// authorized reports whether a request has credentials for the backend. An empty user does not count: the document sets
// it so that HolmesGPT does not send its ServiceAccount's token.
func authorized(h http.Header) bool {
	const emptyUser = "Basic Og=="
	auth := h.Get("Authorization")
	return auth != "" && auth != emptyUser
}

func forbidden(err error) bool {
	var own probe.ProxyError
	return errors.As(err, &own) && own.Seen.Code == backend.CodeProxyForbidden
}

// RightsError names a right that the user lacks.
type RightsError struct{ namespace, resource, verb string }

func (e *RightsError) Error() string {
	return fmt.Sprintf("your user needs %s on %s in namespace %s "+
		"(a role for it: kubectl create role bridge -n %[3]s --verb=%[1]s --resource=%[2]s)",
		e.verb, e.resource, e.namespace)
}

// Unwrap gives a probe the same error as a forbidden service proxy.
func (e *RightsError) Unwrap() error { return proxyError(backend.CodeProxyForbidden) }

// verb returns the API server's verb for a method.
func verb(method string) string {
	if method == http.MethodPost {
		return "create"
	}
	return "get"
}

// Rights returns the rights that a user needs to reach all backends of the namespaces, and the command that creates a
// role with them.
func Rights(namespaces []string, forwardOnly bool) (need, command string) {
	const forward = "create on pods/portforward"
	verbs, resource := "get,create", "services/proxy"
	need = "get and create on services/proxy, or " + forward + ","
	if forwardOnly {
		verbs, resource, need = "create", "pods/portforward", forward
	}
	word := "namespace "
	if len(namespaces) > 1 {
		word = "namespaces "
	}
	return need + " in " + word + strings.Join(namespaces, ", "),
		fmt.Sprintf("kubectl create role bridge -n %s --verb=%s --resource=%s", namespaces[0], verbs, resource)
}
