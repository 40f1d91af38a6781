//go:build integration

package integration

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
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

// scrapes is the right to get the metrics.
func scrapes() rbacv1.PolicyRule {
	return rbacv1.PolicyRule{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}
}

// apiUser makes a ServiceAccount in the output namespace, with the rules there.
func apiUser(t *testing.T, env *testenv.Env, name string, rules ...rbacv1.PolicyRule) (revoke func()) {
	t.Helper()
	env.ServiceAccount(t, testenv.OutputNamespace, name)
	return env.Grant(t, testenv.OutputNamespace, testenv.OutputNamespace, name, rules...)
}

// reviewer asks the API server as a ServiceAccount of the output namespace. It is new, and so remembers nothing.
func reviewer(t *testing.T, env *testenv.Env, account string) *server.Reviewer {
	t.Helper()
	c := rest.AnonymousClientConfig(env.Config)
	c.BearerToken, c.QPS = env.Token(t, testenv.OutputNamespace, account), -1
	client, err := kubernetes.NewForConfig(c)
	must(t, err)
	return server.NewReviewer(client.AuthenticationV1().TokenReviews(), client.AuthorizationV1().SubjectAccessReviews(),
		server.ReviewOptions{Namespace: testenv.OutputNamespace})
}

func TestAuth(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	env := testenv.Shared(t)
	// These are the rights of system:auth-delegator, and it has no others.
	env.ServiceAccount(t, testenv.OutputNamespace, "service")
	env.Grant(t, "", testenv.OutputNamespace, "service", testenv.Rule("authentication.k8s.io", "tokenreviews", "create"),
		testenv.Rule("authorization.k8s.io", "subjectaccessreviews", "create"))
	readToolsets := testenv.Rule(server.APIGroup, server.ResourceToolsets, "get", "list")
	apiUser(t, env, "reader", readToolsets)
	apiUser(t, env, "nobody")
	apiUser(t, env, "scraper")
	env.Grant(t, "", testenv.OutputNamespace, "scraper", scrapes())
	apiUser(t, env, "elsewhere")
	env.Namespace(t, "other")
	env.Grant(t, "other", testenv.OutputNamespace, "elsewhere", readToolsets)

	token := func(account string, audiences ...string) string {
		return env.Token(t, testenv.OutputNamespace, account, audiences...)
	}
	reader := token("reader")
	review, err := env.Client.AuthenticationV1().TokenReviews().Create(t.Context(), &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: reader},
	}, metav1.CreateOptions{})
	must(t, err)
	issuer := review.Status.Audiences // what the API server calls itself
	for _, tt := range []struct {
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
		// The API server takes white space for no token, and says that it is the anonymous user's.
		{"white space", " ", toGetToolsets, server.ErrUnauthenticated, ""},
		{"token after a space", " " + reader, toGetToolsets, server.ErrUnauthenticated, ""},
		{"without rights", token("nobody"), toGetToolsets, server.ErrForbidden, "nobody"},
		// system:discovery lets everybody get /api/*, so that rights on paths would refuse nobody.
		{"without rights, by the path", token("nobody"), server.Right{Verb: "get", Path: "/api/v1/toolsets"}, nil, "nobody"},
		{"the right for something else", reader, server.Right{Verb: "create", Resource: server.ResourceDiscoveries}, server.ErrForbidden, "reader"},
		{"the right in another namespace", token("elsewhere"), toGetToolsets, server.ErrForbidden, "elsewhere"},
		{"metrics", token("scraper"), toScrape, nil, "scraper"},
		{"metrics without the right", reader, toScrape, server.ErrForbidden, "reader"},
		{"the API with the right for metrics", token("scraper"), toGetToolsets, server.ErrForbidden, "scraper"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			user, err := reviewer(t, env, "service").Authorize(t.Context(), tt.token, tt.ask)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if tt.user != "" {
				tt.user = "system:serviceaccount:" + testenv.OutputNamespace + ":" + tt.user
			}
			if user != tt.user {
				t.Errorf("user %q, want %q", user, tt.user)
			}
			if errors.Is(err, server.ErrForbidden) && !strings.Contains(err.Error(), tt.user) {
				t.Errorf("error %q does not name the user", err)
			}
		})
	}
	t.Run("expired", func(t *testing.T) { expired(t, env) })
	t.Run("this service may not ask", func(t *testing.T) {
		if _, err := reviewer(t, env, "nobody").Authorize(t.Context(), reader, toGetToolsets); !errors.Is(err, server.ErrUnavailable) {
			t.Errorf("error %v, want %v", err, server.ErrUnavailable)
		}
	})
}

// A token ends with what it is bound to. That is how one expires before its time, which is ten minutes at least.
func expired(t *testing.T, env *testenv.Env) {
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
	ask := func(token string) error {
		_, err := reviewer(t, env, "service").Authorize(t.Context(), token, toGetToolsets)
		return err
	}
	ends := func(what, token string, end error) {
		t.Helper()
		must(t, end)
		testenv.Eventually(t, 20*time.Second, "the token ends with "+what, func() error {
			if err := ask(token); !errors.Is(err, server.ErrUnauthenticated) {
				return fmt.Errorf("it is answered with %v", err)
			}
			return nil
		})
	}
	must(t, ask(bound.Status.Token))
	ends("the Secret", bound.Status.Token, secrets.Delete(t.Context(), "bound", metav1.DeleteOptions{}))
	must(t, ask(free))
	ends("the ServiceAccount", free, accounts.Delete(t.Context(), "bound", metav1.DeleteOptions{}))
}
