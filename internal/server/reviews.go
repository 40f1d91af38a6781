package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// anonymous is the API server's user for a request without credentials. No valid token belongs to it.
const anonymous = "system:anonymous"

// plausible returns an error for a token that no API server can accept, so that it costs no review. The API server
// would treat a token that begins with a space as missing, and its user as anonymous.
func plausible(token string) error {
	switch {
	case token == "":
		return fmt.Errorf("%w: no token; send the header Authorization: Bearer TOKEN; "+
			"kubectl create token SERVICEACCOUNT --audience %s makes a token", ErrUnauthenticated, Audience)
	case len(token) > maxToken:
		return fmt.Errorf("%w: the token is longer than %d bytes", ErrUnauthenticated, maxToken)
	case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return fmt.Errorf("%w: the token has invalid characters; send only the token after Bearer",
			ErrUnauthenticated)
	}
	return nil
}

// audiences returns the audiences to review a token for, one after the other until a review accepts it. nil is the API
// server's own audience. What a JSON web token claims saves a review that would fail. The claim needs no trust, because
// the API server verifies it.
func audiences(token string) [][]string {
	ours := []string{Audience}
	parts := strings.Split(token, ".")
	if len(parts) != 3 { // only the API server can read it
		return [][]string{nil, ours}
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	switch {
	case err != nil || !json.Valid(claims):
		return [][]string{nil, ours}
	case bytes.Contains(claims, []byte(strconv.Quote(Audience))):
		return [][]string{ours, nil} // another issuer that the API server trusts may use this name too
	}
	return [][]string{nil}
}

// reviewToken returns the user of a token. Each review is for one audience: the API server's own or Audience.
func (r *Reviewer) reviewToken(ctx context.Context, l turns, token string) (authenticationv1.UserInfo, error) {
	for _, asked := range audiences(token) {
		if err := l.wait(ctx); err != nil {
			return authenticationv1.UserInfo{}, err
		}
		review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: asked}}
		review, err := r.tokens.Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return authenticationv1.UserInfo{}, r.tokenOutage.began(err, token)
		}
		r.tokenOutage.ended()
		s := &review.Status
		// An authenticator that does not support audiences omits them from the status.
		checked := len(asked) == 0 || slices.Contains(s.Audiences, Audience)
		if s.Authenticated && checked && s.User.Username != "" && s.User.Username != anonymous {
			return s.User, nil
		}
		r.options.Log.Debug("token not accepted", "audiences", asked, "user", s.User.Username,
			"status_audiences", s.Audiences, "err", redact(s.Error, token))
	}
	return authenticationv1.UserInfo{}, fmt.Errorf(
		"%w: the cluster does not accept the token; it may be expired, revoked, or "+
			"for another audience than %s and the API server's own", ErrUnauthenticated, Audience)
}

// reviewAccess returns nil if the user has the right, and ErrForbidden if not.
func (r *Reviewer) reviewAccess(ctx context.Context, l turns, u authenticationv1.UserInfo, right Right) error {
	if err := l.wait(ctx); err != nil {
		return err
	}
	spec := authorizationv1.SubjectAccessReviewSpec{
		User: u.Username, UID: u.UID, Groups: u.Groups, Extra: map[string]authorizationv1.ExtraValue{},
	}
	for k, v := range u.Extra {
		spec.Extra[k] = authorizationv1.ExtraValue(v)
	}
	if right.Path != "" {
		spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: right.Path, Verb: right.Verb}
	} else {
		spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Namespace: r.options.Namespace, Verb: right.Verb, Group: APIGroup, Version: "*", Resource: right.Resource,
		}
	}
	review, err := r.access.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		return r.accessOutage.began(err, "")
	}
	r.accessOutage.ended()
	s := &review.Status
	if s.Allowed && !s.Denied {
		return nil
	}
	r.options.Log.Debug("access denied", "user", u.Username, "verb", right.Verb, "resource", right.Resource,
		"path", right.Path, "reason", s.Reason, "err", s.EvaluationError)
	if right.Path != "" {
		return fmt.Errorf("%w: user %q may not %s the path %s; a ClusterRole with the rule "+
			"{nonResourceURLs: [%q], verbs: [%s]}, bound to that user, allows it",
			ErrForbidden, u.Username, right.Verb, right.Path, right.Path, right.Verb)
	}
	return fmt.Errorf("%w: user %q may not %s %s of the API group %s in the namespace %s; a Role there with the rule "+
		"{apiGroups: [%s], resources: [%s], verbs: [%s]}, bound to that user, allows it",
		ErrForbidden, u.Username, right.Verb, right.Resource, APIGroup, r.options.Namespace,
		APIGroup, right.Resource, right.Verb)
}

// turns are limits that must all allow a review.
type turns []*rate.Limiter

// wait waits until one review is allowed. It returns ErrBusy if that would take longer than reviewWait.
func (l turns) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reviewWait)
	defer cancel()
	for _, one := range l {
		if err := one.Wait(ctx); err != nil {
			return fmt.Errorf("%w; try again in a few seconds", ErrBusy)
		}
	}
	return nil
}

// outage logs that reviews fail, at most once a minute, and that they work again.
type outage struct {
	log    *slog.Logger
	review string // the kind of the review

	mu    sync.Mutex
	since time.Time // zero: reviews work
	often *rate.Sometimes
}

// began logs err and returns the error for the caller. That error has fewer details, because the caller may be a
// stranger.
func (o *outage) began(err error, token string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		o.since, o.often = time.Now(), &rate.Sometimes{Interval: time.Minute}
	}
	o.often.Do(func() {
		advice := "check that this service reaches the API server"
		if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
			advice = "bind the ClusterRole system:auth-delegator to the ServiceAccount of this service, or set " +
				"auth.mode to none"
		}
		o.log.Warn("review of a caller failed", "review", o.review, "advice", advice, "err", redact(err.Error(), token))
	})
	return fmt.Errorf("%w; try again later; the log of this service has the reason", ErrUnavailable)
}

func (o *outage) ended() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		o.log.Info("review of a caller works again", "review", o.review,
			"after", time.Since(o.since).Round(time.Millisecond))
		o.since = time.Time{}
	}
}

// redact removes a token from a text, and also the token's parts, which parsers quote in errors.
func redact(text, token string) string {
	const replacement, shortest = "[token]", 8
	for _, part := range append([]string{token}, strings.Split(token, ".")...) {
		if len(part) >= shortest || part == token && part != "" {
			text = strings.ReplaceAll(text, part, replacement)
		}
	}
	return text
}
