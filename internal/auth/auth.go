// Package auth says who may ask the HTTP API. It leaves both questions to the cluster, as kubelet and the controllers'
// metrics endpoints do: a TokenReview says who sends a token, a SubjectAccessReview whether that user may do what is asked.
// The rights are those of RBAC on resources of the API group toolset.kubernaut.io, which exist nowhere but in Roles.
//
// Resources and not URL paths: the ClusterRole system:discovery grants get on /api/* to everybody, so that a review of the
// path /api/v1/toolsets would let everybody in.
package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// What Roles name.
const (
	Group       = "toolset.kubernaut.io"
	Toolsets    = "toolsets"
	Services    = "services"
	Discoveries = "discoveries"
)

// Audience is the one of tokens that are made for this service alone, and are of no use to it towards the API server.
const Audience = "dynamic-toolset"

// Challenge is the header WWW-Authenticate of an answer 401.
const Challenge = `Bearer realm="dynamic-toolset"`

// Why a request is refused. The errors of Authorize are one of these, by errors.Is; their texts may be shown to the caller.
var (
	// ErrUnauthenticated: there is no token, or none that the cluster accepts. 401, with Challenge.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrForbidden: the user lacks the right, which the text names. 403.
	ErrForbidden = errors.New("not allowed")
	// ErrUnavailable: the API server cannot be asked, and so nobody new is let in. 503.
	ErrUnavailable = errors.New("the Kubernetes API server cannot be asked who may do this")
	// ErrBusy: too many reviews are wanted at once. 429.
	ErrBusy = errors.New("too many tokens to review at once")
)

// RetryAfter is when it is worth to try again after an error of Authorize, for the header Retry-After; 0 if trying again
// does not help. It is in whole seconds.
func RetryAfter(err error) time.Duration {
	switch {
	case errors.Is(err, ErrBusy):
		return 2 * time.Second
	case errors.Is(err, ErrUnavailable):
		return 5 * time.Second
	}
	return 0
}

// Attributes are what is asked for: a resource of Group, or else a path.
type Attributes struct {
	Verb     string // as in RBAC, in lower case: get, list, create
	Resource string // Toolsets, Services or Discoveries
	// Name narrows a right to one object, for Roles with resourceNames. Each name is a review of its own: one that the caller
	// makes up should not come here.
	Name string
	// NonResourcePath is a path such as /metrics, instead of a resource.
	NonResourcePath string
}

// User is who asked. What is in it is shared: it is not to be changed.
type User struct {
	Name   string
	UID    string
	Groups []string
	Extra  map[string][]string
}

// None lets everybody in: for auth mode none.
type None struct{}

// Authorize never fails. The user has no name.
func (None) Authorize(context.Context, string, Attributes) (User, error) { return User{}, nil }

// BearerToken is the token of a request, "" if there is none, or not exactly one header Authorization, or it is of another
// scheme. Tokens in the URL are not read: they end in logs.
func BearerToken(r *http.Request) string {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
