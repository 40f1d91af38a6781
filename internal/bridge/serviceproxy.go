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
	"slices"
	"strings"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
)

// ServiceProxies makes what carries a candidate's requests through the API server's service proxy. It gives nil for what is
// reached as well from here as from the cluster.
func ServiceProxies(cluster *rest.Config) (func(*backend.Candidate) http.RoundTripper, error) {
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

// serviceProxy sends a candidate's requests through the API server's service proxy, which reaches what a laptop cannot.
// https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
type serviceProxy struct {
	base      *url.URL // the API server
	next      http.RoundTripper
	candidate *backend.Candidate
}

// RoundTrip implements http.RoundTripper.
func (p *serviceProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	c := p.candidate
	// What stands before an API server may take dots out of a path, to which a backend redirects, and ask the API itself for the rest.
	if c.ForeignHost || slices.Contains(strings.Split(r.URL.Path, "/"), "..") {
		return nil, proxyError(backend.CodeProxyElsewhere)
	}
	name := fmt.Sprintf("%s:%d", c.Service.Name, c.Port.Number)
	if r.URL.Scheme == "https" {
		name = "https:" + name
	}
	prefix := strings.TrimRight(p.base.Path, "/") + "/api/v1/namespaces/" + c.Service.Namespace + "/services/" + name + "/proxy"
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = p.base.Scheme, p.base.Host
	out.URL.Path, out.URL.RawPath = prefix+r.URL.Path, ""
	out.Host = ""
	out.Header.Del("Authorization") // of the backend: the API server would take it for its own, in place of the user's
	resp, err := p.next.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("through the API server: %w", err)
	}
	if err := p.ownAnswer(resp); err != nil {
		return nil, err
	}
	p.restoreLocation(resp.Header, prefix)
	return resp, nil
}

// restoreLocation undoes what the API server does to redirects, for browsers that came through it.
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
// it says so with a Status. The error is what a direct connection would have ended in, where there is such a thing.
func (p *serviceProxy) ownAnswer(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return nil
	}
	head, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("through the API server: %w", err)
	}
	resp.Body = readCloser{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
	var status metav1.Status
	if json.Unmarshal(head, &status) == nil && status.Kind == "Status" && status.APIVersion == "v1" {
		err = p.explain(&status)
	}
	if err != nil {
		resp.Body.Close()
	}
	return err
}

// tryingToReach is how the API server begins when it could not reach the backend.
const tryingToReach = "error trying to reach service: "

// causes are errors that the API server, or kubelet, quotes, and what they were before they became text.
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

// explain is nil for a Status that is not about the way to the backend.
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

// quoted makes an error again of one that became text.
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
