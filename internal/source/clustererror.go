package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// explain says in one line what went wrong with a List, where, and what to do. The cause stays in the chain.
func (l *lister) explain(ctx context.Context, err error, resource, ns string) error {
	where := "in all namespaces"
	if ns != "" {
		where = fmt.Sprintf("in namespace %q", ns)
	}
	var text string
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		text = fmt.Sprintf("%s did not answer in time while listing %s %s; is the network path to it open?", l.server(), resource, where)
	case apierrors.IsUnauthorized(err):
		text = l.server() + " does not accept the credentials (401); log in again, or check the user in the kubeconfig"
	case apierrors.IsForbidden(err):
		text = fmt.Sprintf("not allowed to list %s %s (403); needed is %s", resource, where, rbac(resource, ns))
	case apierrors.IsNotFound(err) && resource == resourceSlices:
		text = l.server() + " has no discovery.k8s.io/v1; Kubernetes 1.21 or newer is needed"
	case apierrors.IsNotFound(err):
		text = l.server() + " is no Kubernetes API server (404); check the server's address in the kubeconfig"
	default:
		if cause := network(err); cause != "" {
			text = fmt.Sprintf("cannot reach %s: %s", l.server(), cause)
		} else {
			text = fmt.Sprintf("listing %s %s on %s: %s", resource, where, l.server(), firstLine(unwrapURL(err)))
		}
	}
	return reason{text, err}
}

func (l *lister) server() string { return "the API server at " + l.host }

// rbac is the rule that is missing, in the words of a Role.
func rbac(resource, ns string) string {
	group := ""
	if resource == resourceSlices {
		group = "discovery.k8s.io"
	}
	rule := fmt.Sprintf("{apiGroups: [%q], resources: [%s], verbs: [list]}", group, resource)
	if ns == "" {
		return "a ClusterRole with " + rule + ", or only the namespaces that may be read (-n)"
	}
	return fmt.Sprintf("a Role in %q with %s", ns, rule)
}

// network puts what commonly keeps a client from a server into words; "" for anything else.
func network(err error) string {
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		rec  tls.RecordHeaderError
		to   interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("there is no address for the host %s; check the server in the kubeconfig", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused; is the cluster running, and the server in the kubeconfig the right one?"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to it; is the network or VPN up?"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case errors.As(err, &cert):
		return "its certificate is not trusted (" + cert.Err.Error() + "); check the certificate authority in the kubeconfig"
	case errors.As(err, &rec), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS; check the server's scheme in the kubeconfig"
	case errors.As(err, &to) && to.Timeout():
		return "it did not answer in time; is the network path to it open?"
	}
	return ""
}

// unwrapURL drops the request's URL from an error, which says nothing that the message does not.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) && !strings.Contains(u.Err.Error(), "\n") {
		return u.Err
	}
	return err
}
