package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kubernaut.io/dynamic-toolset/internal/view"
)

// Request is a request to the API server, for the text of an error.
type Request struct {
	Verb, Group, Resource string
	Namespace             string // "" means all namespaces
	Name                  string // "" means any name
}

func (q Request) where() string {
	switch {
	case q.Namespace == "":
		return "in all namespaces"
	case q.Name == "":
		return fmt.Sprintf("in namespace %q", q.Namespace)
	}
	return q.Namespace + "/" + q.Name
}

// forbidden describes what is not allowed, and the rule that allows it. user may be empty.
func (q Request) forbidden(user, verbs string) string {
	role := "a ClusterRole"
	if q.Namespace != "" {
		role = fmt.Sprintf("a Role in %q", q.Namespace)
	}
	if user != "" {
		role += " for " + user
	}
	rule := view.Rule{Group: q.Group, Resource: q.Resource, Verbs: verbs}
	if q.Resource == "configmaps" || q.Resource == "leases" { // the service needs all objects of the other resources
		rule.Name = q.Name
	}
	return fmt.Sprintf("not allowed to %s %s %s (403); to allow it, add %s with %s",
		q.Verb, q.Resource, q.where(), role, rule)
}

// Explain describes in one line why a request of a command failed, and what its user can do. The cause stays in the
// chain.
func (q Request) Explain(ctx context.Context, err error, host string) error {
	server := "the API server at " + host
	var text string
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		text = fmt.Sprintf("%s did not answer in time while asked to %s %s %s; is the network path to it open?",
			server, q.Verb, q.Resource, q.where())
	case apierrors.IsUnauthorized(err):
		text = server + " does not accept the credentials (401); log in again, or check the user in the kubeconfig"
	case apierrors.IsForbidden(err):
		text = q.forbidden("", q.Verb)
		if q.Namespace == "" {
			text += ", or name a namespace that your user may read with -n"
		}
	case apierrors.IsNotFound(err) && q.Group != "":
		text = server + " has no " + q.Group + "/v1; Kubernetes 1.21 or newer is needed"
	case apierrors.IsNotFound(err):
		text = server + " is not a Kubernetes API server (404); check the server's address in the kubeconfig"
	default:
		if cause, advice := network(err); cause != "" {
			text = fmt.Sprintf("cannot reach %s: %s%s", server, cause, advice)
		} else {
			first, _, _ := strings.Cut(unwrapURL(err).Error(), "\n")
			text = fmt.Sprintf("cannot %s %s %s on %s: %s", q.Verb, q.Resource, q.where(), server, first)
		}
	}
	return explained{text, err}
}

// network describes an error of the network or of TLS, and what the user of a kubeconfig can do. Both are "" for any
// other error.
func network(err error) (cause, advice string) {
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		rec  tls.RecordHeaderError
		to   interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &dns):
		return "there is no address for the host " + dns.Name, "; check the server in the kubeconfig"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", "; is the cluster running, and the server in the kubeconfig the right one?"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to it", "; is the network or VPN up?"
	case errors.As(err, &cert):
		return "its certificate is not trusted (" + cert.Err.Error() + ")",
			"; check the certificate authority in the kubeconfig"
	case errors.As(err, &rec), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS", "; check the server's scheme in the kubeconfig"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &to) && to.Timeout():
		return "it did not answer in time", "; is the network path to it open?"
	}
	return "", ""
}

// unwrapURL removes the request's URL from an error, because the message already names the request.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) && !strings.Contains(u.Err.Error(), "\n") {
		return u.Err
	}
	return err
}

// refusal matches the message of the API server about a right that is not granted. The message is needed because the
// status has neither the verb nor the namespace.
var refusal = regexp.MustCompile(
	`User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)" ` +
		`(?:in the namespace "([^"]+)"|at the cluster scope)`,
)

// missing describes the right that this service lacks according to an error of the API server. text names the rule with
// all rights that the service needs on the resource, so that the admin adds them at once. ok is false for any other
// error.
func missing(err error) (text string, ok bool) {
	m := refusal.FindStringSubmatch(fmt.Sprint(err))
	if m == nil || !apierrors.IsForbidden(err) { // not a missing right: an admission webhook, for example
		return "", false
	}
	q := Request{Verb: m[2], Resource: m[3], Group: m[4], Namespace: m[5]}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) && status.Status().Details != nil {
		q.Name = status.Status().Details.Name
	}
	verbs := q.Verb
	if rule, ok := view.OwnRule(q.Resource); ok {
		verbs = rule.Verbs
	}
	text = q.forbidden(m[1], verbs)
	if q.Namespace == "" && (q.Resource == "services" || q.Resource == "endpointslices") {
		text += ", or name the namespaces that it may watch in discovery.namespaces"
	}
	return text, true
}

// Explain describes an error about a missing right for the log of this service. It returns any other error as it is.
// err stays in the chain.
func Explain(err error) error {
	if text, ok := missing(err); ok {
		return explained{text, err}
	}
	return err
}

// reason describes an error about a missing right or the network. It returns "" for any other error.
func reason(err error) string {
	if text, ok := missing(err); ok {
		return text
	}
	if cause, _ := network(err); cause != "" {
		return "cannot reach the API server: " + cause + "; what is published stays"
	}
	return ""
}

// explained is an error with a text for people. It wraps the cause.
type explained struct {
	text string
	err  error
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.err }
