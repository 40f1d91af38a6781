//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

var (
	toGetToolsets = server.Right{Verb: "get", Resource: server.ResourceToolsets}
	toScrape      = server.Right{Verb: "get", Path: "/metrics"}
)

func TestAuth(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	env := testenv.Shared(t)
	service := serviceIdentity(t, env)
	readToolsets := testenv.Rule(server.APIGroup, server.ResourceToolsets, "get", "list")
	apiUser(t, env, "reader", readToolsets)
	apiUser(t, env, "nobody")
	apiUser(t, env, "scraper")
	_, err := env.Client.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "scraper"},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}, metav1.CreateOptions{})
	must(t, err)
	bind(t, env, "scraper", "scraper")
	testenv.Eventually(t, 10*time.Second, "the rights of the scraper", func() error {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: userName("scraper"), NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"},
		}}
		review, err := env.Client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
		if err == nil && !review.Status.Allowed {
			err = errors.New("not allowed yet")
		}
		return err
	})
	apiUser(t, env, "elsewhere")
	env.Namespace(t, "other")
	env.Grant(t, "other", testenv.OutputNamespace, "elsewhere", readToolsets)

	reader := env.Token(t, testenv.OutputNamespace, "reader")
	token := func(account string, audiences ...string) string {
		return env.Token(t, testenv.OutputNamespace, account, audiences...)
	}
	issuer := audiencesOf(t, env, reader)
	tests := []struct {
		name  string
		token string
		ask   server.Right
		want  error
		user  string // the account
	}{
		{"with rights", reader, toGetToolsets, nil, "reader"},
		{"a token for this service", token("reader", server.Audience), toGetToolsets, nil, "reader"},
		{"a token for both", token("reader", append([]string{server.Audience}, issuer...)...), toGetToolsets, nil, "reader"},
		{"a token for the API server and another", token("reader", append([]string{"vault"}, issuer...)...), toGetToolsets, nil, "reader"},
		{"a token for another", token("reader", "vault"), toGetToolsets, server.ErrUnauthenticated, ""},
		{"no token", "", toGetToolsets, server.ErrUnauthenticated, ""},
		{"bad token", "bad", toGetToolsets, server.ErrUnauthenticated, ""},
		{"bad signature", reader[:len(reader)-8] + "AAAAAAAA", toGetToolsets, server.ErrUnauthenticated, ""},
		{"token after a space", " " + reader, toGetToolsets, server.ErrUnauthenticated, ""},
		{"without rights", token("nobody"), toGetToolsets, server.ErrForbidden, "nobody"},
		// system:discovery lets everybody get /api/*: nothing that is asked here depends on it.
		{"the right for something else", reader, server.Right{Verb: "create", Resource: server.ResourceDiscoveries}, server.ErrForbidden, "reader"},
		{"the right in another namespace", token("elsewhere"), toGetToolsets, server.ErrForbidden, "elsewhere"},
		{"metrics", token("scraper"), toScrape, nil, "scraper"},
		{"metrics without the right", reader, toScrape, server.ErrForbidden, "reader"},
		{"the API with the right for metrics", token("scraper"), toGetToolsets, server.ErrForbidden, "scraper"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			user, err := authorizer(service, server.ReviewOptions{}).Authorize(t.Context(), tt.token, tt.ask)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if tt.user != "" {
				tt.user = userName(tt.user)
			}
			if user != tt.user {
				t.Errorf("user %q, want %q", user, tt.user)
			}
			if errors.Is(err, server.ErrForbidden) && !strings.Contains(err.Error(), tt.user) {
				t.Errorf("error %q does not name the user", err)
			}
		})
	}
	t.Run("expired", func(t *testing.T) { expired(t, env, service) })
	t.Run("revoked", func(t *testing.T) { revoked(t, env, service) })
	t.Run("without rights to ask", func(t *testing.T) { withoutRightsToAsk(t, env, reader) })
	t.Run("why a token with a space is refused", func(t *testing.T) { spaces(t, service) })
}

// A token ends with what it is bound to. That is how one expires before its time, which is ten minutes at least.
func expired(t *testing.T, env *testenv.Env, service *kubernetes.Clientset) {
	apiUser(t, env, "bound", testenv.Rule(server.APIGroup, server.ResourceToolsets, "get"))
	secrets := env.Client.CoreV1().Secrets(testenv.OutputNamespace)
	secret, err := secrets.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "bound"}}, metav1.CreateOptions{})
	must(t, err)
	accounts := env.Client.CoreV1().ServiceAccounts(testenv.OutputNamespace)
	bound, err := accounts.CreateToken(t.Context(), "bound", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{server.Audience}, ExpirationSeconds: ptr.To[int64](600),
		BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Secret", APIVersion: "v1", Name: "bound", UID: secret.UID},
	}}, metav1.CreateOptions{})
	must(t, err)
	free := env.Token(t, testenv.OutputNamespace, "bound")
	ends := func(what, token string, end func() error) {
		t.Helper()
		if _, err := authorizer(service, server.ReviewOptions{}).Authorize(t.Context(), token, toGetToolsets); err != nil {
			t.Errorf("before %s: %v", what, err)
		}
		must(t, end())
		start := time.Now()
		testenv.Eventually(t, 20*time.Second, "the token ends with "+what, func() error {
			_, err := authorizer(service, server.ReviewOptions{}).Authorize(t.Context(), token, toGetToolsets)
			if errors.Is(err, server.ErrUnauthenticated) {
				return nil
			}
			return fmt.Errorf("authorised as %w", err)
		})
		t.Logf("the API server refuses the token %s after %s", time.Since(start).Round(10*time.Millisecond), what)
	}
	ends("the Secret is deleted", bound.Status.Token, func() error {
		return secrets.Delete(t.Context(), "bound", metav1.DeleteOptions{})
	})
	ends("the ServiceAccount is deleted", free, func() error {
		return accounts.Delete(t.Context(), "bound", metav1.DeleteOptions{})
	})
}

// A right that is taken away holds for as long as it is remembered, and no longer.
func revoked(t *testing.T, env *testenv.Env, service *kubernetes.Clientset) {
	const remembered = 3 * time.Second
	revoke := apiUser(t, env, "dismissed", testenv.Rule(server.APIGroup, server.ResourceToolsets, "get"))
	token := env.Token(t, testenv.OutputNamespace, "dismissed")
	k := authorizer(service, server.ReviewOptions{AllowedFor: remembered})
	start := time.Now()
	ask := func() error {
		_, err := k.Authorize(t.Context(), token, toGetToolsets)
		return err
	}
	must(t, ask())
	revoke()
	testenv.Eventually(t, remembered, "who is asked anew notices at once", func() error {
		if _, err := authorizer(service, server.ReviewOptions{}).Authorize(t.Context(), token, toGetToolsets); !errors.Is(err, server.ErrForbidden) {
			return fmt.Errorf("authorised as %w", err)
		}
		return nil
	})
	if err := ask(); err != nil && time.Since(start) < remembered {
		t.Errorf("%s after the review: %v", time.Since(start), err)
	}
	testenv.Eventually(t, remembered+2*time.Second, "the right ends", func() error {
		if err := ask(); !errors.Is(err, server.ErrForbidden) {
			return fmt.Errorf("authorised as %w", err)
		}
		return nil
	})
	if took := time.Since(start); took < remembered {
		t.Errorf("nothing was remembered: it ended after %s", took)
	}
}

// Without system:auth-delegator nobody is let in, and the service is to blame.
func withoutRightsToAsk(t *testing.T, env *testenv.Env, reader string) {
	c := rest.AnonymousClientConfig(env.Config)
	c.BearerToken = env.Token(t, testenv.OutputNamespace, "nobody")
	client, err := kubernetes.NewForConfig(c)
	must(t, err)
	if _, err := authorizer(client, server.ReviewOptions{}).Authorize(t.Context(), reader, toGetToolsets); !errors.Is(err, server.ErrUnavailable) {
		t.Errorf("error %v, want %v", err, server.ErrUnavailable)
	}
}

// The API server takes a token of white space for none, and says that it is the anonymous user's.
func spaces(t *testing.T, service *kubernetes.Clientset) {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: " "}}
	review, err := service.AuthenticationV1().TokenReviews().Create(t.Context(), review, metav1.CreateOptions{})
	t.Logf("reviewed: %+v, %v", review.Status, err)
	if _, err := authorizer(service, server.ReviewOptions{}).Authorize(t.Context(), " ", toGetToolsets); !errors.Is(err, server.ErrUnauthenticated) {
		t.Errorf("error %v, want %v", err, server.ErrUnauthenticated)
	}
}

// While the API server is away those who were allowed lately are let in, for as long as that is remembered, and nobody else.
func TestAuthAPIServerAway(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	const remembered = 4 * time.Second
	env := testenv.Start(t)
	service := serviceIdentity(t, env)
	rule := testenv.Rule(server.APIGroup, server.ResourceToolsets, "get")
	apiUser(t, env, "early", rule)
	apiUser(t, env, "late", rule)
	early, late := env.Token(t, testenv.OutputNamespace, "early"), env.Token(t, testenv.OutputNamespace, "late")
	k := authorizer(service, server.ReviewOptions{AllowedFor: remembered})
	ask := func(token string) error {
		_, err := k.Authorize(t.Context(), token, toGetToolsets)
		return err
	}
	start := time.Now()
	must(t, ask(early))
	env.APIServer.Kill(t)
	if err := ask(early); err != nil && time.Since(start) < remembered {
		t.Errorf("%s after the review: %v", time.Since(start), err)
	}
	if err := ask(late); !errors.Is(err, server.ErrUnavailable) {
		t.Errorf("not asked about before: %v, want %v", err, server.ErrUnavailable)
	}
	testenv.Eventually(t, remembered+2*time.Second, "the memory ends", func() error {
		if err := ask(early); !errors.Is(err, server.ErrUnavailable) {
			return fmt.Errorf("authorised as %w", err)
		}
		return nil
	})
	if took := time.Since(start); took < remembered {
		t.Errorf("nothing was remembered: it ended after %s", took)
	}
	env.APIServer.Start(t)
	for _, token := range []string{early, late} {
		testenv.Eventually(t, 20*time.Second, "the API server is back", func() error { return ask(token) })
	}
}

// system:discovery is why rights are not those of URL paths.
func TestAuthPathsAreOpenToAll(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	env := testenv.Shared(t)
	apiUser(t, env, "nobody")
	service := serviceIdentity(t, env)
	token := env.Token(t, testenv.OutputNamespace, "nobody")
	byPath := server.Right{Verb: strings.ToLower(http.MethodGet), Path: "/api/v1/toolsets"}
	k := authorizer(service, server.ReviewOptions{})
	if _, err := k.Authorize(t.Context(), token, byPath); err != nil {
		t.Errorf("a review of the path refuses somebody without rights: %v", err)
	}
	if _, err := k.Authorize(t.Context(), token, toGetToolsets); !errors.Is(err, server.ErrForbidden) {
		t.Errorf("a review of the resource: %v, want %v", err, server.ErrForbidden)
	}
}
