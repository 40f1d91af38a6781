package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apiAudience is what the fake API server calls itself.
const apiAudience = "https://kubernetes.default.svc"

// grant is a user with the audiences of the token and the rights.
type grant struct {
	user      authenticationv1.UserInfo
	audiences []string // none: the API server's
	may       []Right
	unaware   bool // answers without audiences, whatever was asked
}

// cluster is a fake API server.
type cluster struct {
	mu       sync.Mutex
	grants   map[string]*grant // by token
	tokenErr error
	allowErr error
	takes    time.Duration
	thinks   time.Duration // before it says what a user may do
	denied   bool          // a webhook vetoes what is allowed
	status   string

	tokens []*authenticationv1.TokenReviewSpec
	access []*authorizationv1.SubjectAccessReviewSpec
}

type tokenReviews struct{ *cluster }

func (c tokenReviews) Create(ctx context.Context, r *authenticationv1.TokenReview, _ metav1.CreateOptions) (*authenticationv1.TokenReview, error) {
	c.mu.Lock()
	c.tokens = append(c.tokens, r.Spec.DeepCopy())
	takes := c.takes
	c.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(takes):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokenErr != nil {
		return nil, c.tokenErr
	}
	r = r.DeepCopy()
	g, ok := c.grants[r.Spec.Token]
	if !ok {
		r.Status.Error = "invalid bearer token " + r.Spec.Token + c.status
		return r, nil
	}
	asked, has := r.Spec.Audiences, g.audiences
	if len(asked) == 0 {
		asked = []string{apiAudience}
	}
	if len(has) == 0 {
		has = []string{apiAudience}
	}
	var both []string
	for _, a := range asked {
		if slices.Contains(has, a) {
			both = append(both, a)
		}
	}
	if len(both) > 0 || g.unaware {
		r.Status.Authenticated, r.Status.User, r.Status.Audiences = true, g.user, both
	}
	return r, nil
}

type accessReviews struct{ *cluster }

func (c accessReviews) Create(ctx context.Context, r *authorizationv1.SubjectAccessReview, _ metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error) {
	c.mu.Lock()
	thinks := c.thinks
	c.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(thinks):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.access = append(c.access, r.Spec.DeepCopy())
	if c.allowErr != nil {
		return nil, c.allowErr
	}
	r = r.DeepCopy()
	var asked Right
	if a := r.Spec.ResourceAttributes; a != nil && a.Namespace == "toolsets-here" && a.Group == APIGroup {
		asked = Right{Verb: a.Verb, Resource: a.Resource}
	} else if a := r.Spec.NonResourceAttributes; a != nil {
		asked = Right{Verb: a.Verb, Path: a.Path}
	}
	for _, g := range c.grants {
		if g.user.Username == r.Spec.User {
			r.Status.Allowed = slices.Contains(g.may, asked)
		}
	}
	r.Status.Denied = c.denied
	return r, nil
}

// reviewed is how many reviews there were since the last call.
func (c *cluster) reviewed() (tokens, access int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tokens, access = len(c.tokens), len(c.access)
	c.tokens, c.access = nil, nil
	return tokens, access
}

func (c *cluster) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// jwt is a token with the claims and no valid signature.
func jwt(t testing.TB, claims string) string {
	t.Helper()
	if !json.Valid([]byte(claims)) {
		t.Fatalf("claims %s", claims)
	}
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"RS256"}`)) + "." + e([]byte(claims)) + "." + e([]byte("signature"))
}

func (c *cluster) authorizer(w *lines) *Reviewer {
	o := ReviewOptions{Namespace: "toolsets-here"}
	if w != nil {
		o.Log = slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return NewReviewer(tokenReviews{c}, accessReviews{c}, o)
}

// newCluster knows the user jane with a token of the audiences, who may get toolsets.
func newCluster(token string, audiences ...string) *cluster {
	return &cluster{grants: map[string]*grant{token: {
		user: authenticationv1.UserInfo{
			Username: "jane", UID: "42", Groups: []string{"sre", "system:authenticated"},
			Extra: map[string]authenticationv1.ExtraValue{"scopes": {"a", "b"}},
		},
		audiences: audiences,
		may:       []Right{toGetToolsets},
	}}}
}

var toGetToolsets = Right{Verb: "get", Resource: ResourceToolsets}
