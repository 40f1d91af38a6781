package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/time/rate"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// anonymous is whom the API server takes a request without credentials for. Nobody can send a token of it.
const anonymous = "system:anonymous"

// reviewToken asks whose token it is. A review is for one audience, the API server's own (which it knows best: none is
// named) or Audience: whoever names several has to know what the API server calls itself.
func (k *Kubernetes) reviewToken(ctx context.Context, l *rate.Limiter, token string) (User, error) {
	for _, audiences := range reviews(token) {
		if err := wait(ctx, l); err != nil {
			return User{}, err
		}
		review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: audiences}}
		review, err := k.tokens.Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return User{}, k.tokenOutage.began(err, token)
		}
		k.tokenOutage.ended()
		s := &review.Status
		if s.Authenticated && accepts(audiences, s.Audiences) && s.User.Username != "" && s.User.Username != anonymous {
			return userOf(s.User), nil
		}
		k.log.Debug("token not accepted", "audiences", audiences, "user", s.User.Username, "status_audiences", s.Audiences,
			"err", redact(s.Error, token))
	}
	return User{}, fmt.Errorf("%w: the cluster does not accept the token; it may have expired, been revoked, or be for another "+
		"audience than %s and the API server's own", ErrUnauthenticated, Audience)
}

// accepts reports whether the answer is for the audiences that were asked for. One who names them has to look, since an
// authenticator that knows nothing of audiences does not. Where none was named it is the API server's own.
func accepts(asked, answered []string) bool {
	return len(asked) == 0 || slices.ContainsFunc(asked, func(a string) bool { return slices.Contains(answered, a) })
}

func userOf(u authenticationv1.UserInfo) User {
	user := User{Name: u.Username, UID: u.UID, Groups: u.Groups}
	if len(u.Extra) > 0 {
		user.Extra = make(map[string][]string, len(u.Extra))
		for k, v := range u.Extra {
			user.Extra[k] = v
		}
	}
	return user
}

// reviewAccess asks whether the user may do it.
func (k *Kubernetes) reviewAccess(ctx context.Context, l *rate.Limiter, u User, a Attributes) error {
	if err := wait(ctx, l); err != nil {
		return err
	}
	spec := authorizationv1.SubjectAccessReviewSpec{User: u.Name, UID: u.UID, Groups: u.Groups}
	if len(u.Extra) > 0 {
		spec.Extra = make(map[string]authorizationv1.ExtraValue, len(u.Extra))
		for k, v := range u.Extra {
			spec.Extra[k] = v
		}
	}
	if a.NonResourcePath != "" {
		spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: a.NonResourcePath, Verb: a.Verb}
	} else {
		spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Namespace: k.options.Namespace, Verb: a.Verb, Group: Group, Version: "*", Resource: a.Resource, Name: a.Name,
		}
	}
	review, err := k.access.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		return k.accessOutage.began(err, "")
	}
	k.accessOutage.ended()
	s := &review.Status
	if s.Allowed && !s.Denied {
		return nil
	}
	k.log.Debug("access denied", "user", u.Name, "verb", a.Verb, "resource", a.Resource, "name", a.Name, "path", a.NonResourcePath,
		"reason", s.Reason, "err", s.EvaluationError)
	return k.forbidden(u, a)
}

// forbidden says what is missing and how an admin grants it.
func (k *Kubernetes) forbidden(u User, a Attributes) error {
	if a.NonResourcePath != "" {
		return fmt.Errorf("%w: user %q may not %s the path %s; a ClusterRole with the rule {nonResourceURLs: [%q], verbs: [%s]}, "+
			"bound to that user, allows it", ErrForbidden, u.Name, a.Verb, a.NonResourcePath, a.NonResourcePath, a.Verb)
	}
	object := ""
	if a.Name != "" {
		object = fmt.Sprintf(" %q", a.Name)
	}
	return fmt.Errorf("%w: user %q may not %s %s%s of the API group %s in the namespace %s; a Role there with the rule "+
		"{apiGroups: [%s], resources: [%s], verbs: [%s]}, bound to that user, allows it",
		ErrForbidden, u.Name, a.Verb, a.Resource, object, Group, k.options.Namespace, Group, a.Resource, a.Verb)
}

// redact takes a token, and the parts of one that parsers complain about, out of a text.
func redact(text, token string) string {
	const replacement, shortest = "[token]", 8
	if token == "" {
		return text
	}
	text = strings.ReplaceAll(text, token, replacement)
	for part := range strings.SplitSeq(token, ".") {
		if len(part) >= shortest {
			text = strings.ReplaceAll(text, part, replacement)
		}
	}
	return text
}
