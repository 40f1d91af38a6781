package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// ServiceProxies returns a function that makes the transport for a candidate through the API server's service proxy.
// The transport is nil for a candidate outside the cluster, which this machine reaches directly.
func ServiceProxies(cluster *rest.Config) (func(*backend.Candidate) http.RoundTripper, error) {
	cluster = rest.CopyConfig(cluster)
	cluster.Wrap(newMasking)
	transport, err := rest.TransportFor(cluster)
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(cluster)
	if err != nil {
		return nil, err
	}
	return func(c *backend.Candidate) http.RoundTripper {
		if c.Service.Type == backend.TypeOutside {
			return nil
		}
		return &serviceProxy{base: base, next: transport, candidate: c}
	}, nil
}

// serviceProxy sends a candidate's requests through the API server's service proxy, for a machine outside the cluster.
// https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
type serviceProxy struct {
	base      *url.URL // the API server
	next      http.RoundTripper
	candidate *backend.Candidate
}

// RoundTrip implements http.RoundTripper.
func (p *serviceProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	c := p.candidate
	// A backend can redirect to a path that leads out of its part of the API.
	if c.ForeignHost || climbs(r.URL.Path) {
		return nil, proxyError(backend.CodeProxyElsewhere)
	}
	name := fmt.Sprintf("%s:%d", c.Service.Name, c.Port.Number)
	if r.URL.Scheme == "https" {
		name = "https:" + name
	}
	prefix := fmt.Sprintf("%s/api/v1/namespaces/%s/services/%s/proxy",
		strings.TrimRight(p.base.Path, "/"), c.Service.Namespace, name)
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = p.base.Scheme, p.base.Host
	out.URL.Path, out.URL.RawPath = prefix+r.URL.Path, ""
	out.Host = ""
	out.Header.Del("Authorization") // the API server would use it instead of the user's
	resp, err := p.next.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("through the API server: %w", err)
	}
	unmask(resp)
	if err := p.ownAnswer(resp); err != nil {
		return nil, err
	}
	p.restoreLocation(resp.Header, prefix)
	return resp, nil
}

// restoreLocation undoes the API server's rewriting of redirects, which is for browsers that use the service proxy.
func (p *serviceProxy) restoreLocation(h http.Header, prefix string) {
	to, err := url.Parse(h.Get("Location"))
	if err != nil || to.Host != "" && to.Host != p.base.Host {
		return
	}
	if path, ok := strings.CutPrefix(to.Path, prefix); ok {
		h.Set("Location", (&url.URL{Path: path, RawQuery: to.RawQuery}).String())
	}
}

// ownAnswer distinguishes the API server's answer from the backend's: if it forbids the request, or cannot connect,
// it answers with a Status. The error is that of a direct connection, if a direct connection has such an error.
func (p *serviceProxy) ownAnswer(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return nil
	}
	status, err := statusOf(resp)
	if err == nil && status != nil {
		err = p.explain(status)
	}
	if err != nil {
		resp.Body.Close()
	}
	return err
}

// statusOf returns the Status that a response consists of, nil for any other body. The body can be read again.
func statusOf(resp *http.Response) (*metav1.Status, error) {
	head, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("through the API server: %w", err)
	}
	resp.Body = readCloser{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
	var status metav1.Status
	if json.Unmarshal(head, &status) == nil && status.Kind == "Status" && status.APIVersion == "v1" {
		return &status, nil
	}
	return nil, nil
}

// tryingToReach begins the API server's message when it could not reach the backend.
const tryingToReach = "error trying to reach service: "

// causes maps texts that the API server or kubelet quotes to the errors behind them.
var causes = [...]struct {
	text string
	err  error
}{
	{syscall.ECONNREFUSED.Error(), syscall.ECONNREFUSED},
	{syscall.ECONNRESET.Error(), syscall.ECONNRESET},
	{http.ErrSchemeMismatch.Error(), http.ErrSchemeMismatch},
	{"i/o timeout", context.DeadlineExceeded},
	{context.DeadlineExceeded.Error(), context.DeadlineExceeded},
	{"EOF", io.EOF},
}

// explain returns nil for a Status that does not concern the connection to the backend.
func (p *serviceProxy) explain(s *metav1.Status) error {
	c := p.candidate
	cause, unreached := strings.CutPrefix(s.Message, tryingToReach)
	switch {
	case s.Reason == metav1.StatusReasonUnauthorized:
		return proxyError(backend.CodeProxyLogin)
	case s.Reason == metav1.StatusReasonForbidden && strings.Contains(s.Message, "services/proxy"):
		return proxyError(backend.CodeProxyForbidden)
	case s.Reason == metav1.StatusReasonNotFound && s.Details != nil && s.Details.Kind == "services":
		return proxyError(backend.CodeProxyNoService)
	case strings.HasPrefix(s.Message, "no endpoints available"):
		return proxyError(backend.CodeProxyNoEndpoints)
	case strings.HasPrefix(s.Message, "no service port"):
		return probe.ProxyError{Seen: backend.Seen{Code: backend.CodeProxyNoPort, Number: int(c.Port.Number)}}
	case !unreached:
		return nil
	}
	return fmt.Errorf("the API server could not reach it: %w", quoted(cause))
}

// quoted turns the text of an error back into an error.
func quoted(text string) error {
	for _, known := range causes {
		if strings.Contains(text, known.text) {
			return fmt.Errorf("%s: %w", text, known.err)
		}
	}
	return errors.New(text)
}

func proxyError(code backend.Code) error { return probe.ProxyError{Seen: backend.Seen{Code: code}} }

type readCloser struct {
	io.Reader
	io.Closer
}
