package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

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
	if c.ForeignHost {
		return nil, errors.New("its endpoint is not the Service itself, and the API server's proxy leads nowhere else: probe it from inside the cluster")
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
	resp, err := p.next.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("through the API server: %w", err)
	}
	if loc := resp.Header.Get("Location"); strings.HasPrefix(loc, prefix) {
		resp.Header.Set("Location", strings.TrimPrefix(loc, prefix)) // the API server rewrites it for browsers
	}
	return resp, p.ownRefusal(resp)
}

// ownRefusal tells the API server's answer from the backend's: it may not let this user through.
func (p *serviceProxy) ownRefusal(resp *http.Response) error {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusUnauthorized {
		return nil
	}
	head, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("through the API server: %w", err)
	}
	resp.Body = readCloser{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
	if !bytes.Contains(head, []byte(`"kind":"Status"`)) || !bytes.Contains(head, []byte(`services/proxy`)) {
		return nil
	}
	resp.Body.Close()
	return fmt.Errorf("the API server does not let you through: your user needs get on services/proxy in namespace %s", p.candidate.Service.Namespace)
}

type readCloser struct {
	io.Reader
	io.Closer
}
