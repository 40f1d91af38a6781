package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// The API group and resources that Roles name. Rights are on resources and not on paths, because the ClusterRole
// system:discovery grants every user get on /api/*.
const (
	APIGroup            = "toolset.kubernaut.io"
	ResourceToolsets    = "toolsets"
	ResourceServices    = "services"
	ResourceDiscoveries = "discoveries"
)

// Audience is the audience of tokens that only this service accepts, and not the API server.
const Audience = "dynamic-toolset"

// Errors of Authorize, for errors.Is. Their texts may be shown to the caller.
var (
	ErrUnauthenticated = errors.New("not authenticated")
	ErrForbidden       = errors.New("not allowed")
	ErrUnavailable     = errors.New("the Kubernetes API server cannot review the request")
	ErrBusy            = errors.New("too many tokens to review")
)

// Right is a right that a caller needs: an RBAC verb on a resource of APIGroup or, if Path is set, on a path.
type Right struct{ Verb, Resource, Path string }

// Authorizer decides whether the owner of a token has a right. user is the caller's name, also with ErrForbidden; "" if
// it is unknown.
type Authorizer interface {
	Authorize(ctx context.Context, token string, right Right) (user string, err error)
}

// Anyone gives every caller every right. It is used with auth.mode none.
type Anyone struct{}

// Authorize never fails.
func (Anyone) Authorize(context.Context, string, Right) (string, error) { return "", nil }

// bearerToken returns the token of a request, "" if it has no Authorization header, several of them, or another scheme.
// Tokens in the URL are not read, because URLs end up in logs.
func bearerToken(r *http.Request) string {
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

// denied returns the problem for an error of an Authorizer.
func denied(err error) *Problem {
	switch {
	case errors.Is(err, ErrUnauthenticated):
		return problem(http.StatusUnauthorized, "%s", err).with("WWW-Authenticate", `Bearer realm="dynamic-toolset"`)
	case errors.Is(err, ErrForbidden):
		return problem(http.StatusForbidden, "%s", err)
	case errors.Is(err, ErrBusy):
		return problem(http.StatusTooManyRequests, "%s", err).retry(2 * time.Second)
	}
	return problem(http.StatusServiceUnavailable, "%s", err).retry(5 * time.Second)
}

// ByPath passes a request to next if the caller may get the path. Prometheus setups grant this right by
// nonResourceURLs.
func ByPath(who Authorizer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := who.Authorize(r.Context(), bearerToken(r), Right{Verb: "get", Path: r.URL.Path})
		deadline(w, writeWithin)
		if err != nil {
			refuse(w, r, denied(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ByHost passes a request to next if ours accepts its host. Others get a 421 with the text instead.
func ByHost(ours func(host string) bool, instead string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ours(r.Host) {
			refuse(w, r, problem(http.StatusMisdirectedRequest, "%s", instead))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers a request with p before it reaches the API.
func refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	t := &trace{id: requestID(r.Header.Get(headerRequestID))}
	w.Header().Set(headerRequestID, t.id)
	send(w, r.WithContext(context.WithValue(r.Context(), traceKey{}, t)), p)
}
