package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// What Roles name. Rights are on resources and not on paths, because the ClusterRole system:discovery grants get on /api/*
// to everybody.
const (
	APIGroup            = "toolset.kubernaut.io"
	ResourceToolsets    = "toolsets"
	ResourceServices    = "services"
	ResourceDiscoveries = "discoveries"
)

// Audience is that of tokens for this service alone, which the API server does not accept.
const Audience = "dynamic-toolset"

// Why a request is refused: Authorize returns one of these, as errors.Is reports it. Their texts may be shown to the caller.
var (
	ErrUnauthenticated = errors.New("not authenticated")
	ErrForbidden       = errors.New("not allowed")
	ErrUnavailable     = errors.New("the Kubernetes API server cannot review who may do this")
	ErrBusy            = errors.New("too many tokens to review at once")
)

// Right is what a caller must be allowed to do: a verb, as in RBAC, on a resource of APIGroup, or else on a path.
type Right struct{ Verb, Resource, Path string }

// Authorizer decides who may do what. user is the caller's name, also with ErrForbidden; "" if nobody knows it.
type Authorizer interface {
	Authorize(ctx context.Context, token string, right Right) (user string, err error)
}

// Anyone allows everything to everybody: auth.mode none.
type Anyone struct{}

// Authorize never fails.
func (Anyone) Authorize(context.Context, string, Right) (string, error) { return "", nil }

// bearerToken is the token of a request, "" if there is none, if there are several headers Authorization, or for another
// scheme. Tokens in the URL are not read: they end in logs.
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

// denied is the answer to an error of an Authorizer.
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

// ByPath passes on requests of callers who may get the path, which Prometheus setups grant by nonResourceURLs.
func ByPath(who Authorizer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := who.Authorize(r.Context(), bearerToken(r), Right{Verb: "get", Path: r.URL.Path})
		// A caller that does not read the answer loses its connection. A writer without deadlines needs none.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin))
		if err != nil {
			refuse(w, r, denied(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Busy answers a request that the server has no room for.
func Busy(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, problem(http.StatusServiceUnavailable, "too many requests at the moment; try again in some seconds").retry(starting))
}

// ByHost passes on requests for a host that ours accepts. The answer to others is the text instead.
func ByHost(ours func(host string) bool, instead string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ours(r.Host) {
			refuse(w, r, problem(http.StatusMisdirectedRequest, "%s", instead))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers a request that does not get as far as the API.
func refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	t := &trace{id: requestID(r.Header.Get(headerRequestID))}
	w.Header().Set(headerRequestID, t.id)
	send(w, r.WithContext(context.WithValue(r.Context(), traceKey{}, t)), p)
}
