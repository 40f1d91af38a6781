//go:build integration

package integration

import (
	"fmt"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// serviceIdentity is a client with the token of a ServiceAccount that has the ClusterRole system:auth-delegator and nothing
// else, as the shipped one has beside what it needs for other purposes.
func serviceIdentity(t *testing.T, env *testenv.Env) *kubernetes.Clientset {
	t.Helper()
	const name = "dynamic-toolset"
	env.ServiceAccount(t, testenv.OutputNamespace, name)
	bind(t, env, "system:auth-delegator", name)
	c := rest.AnonymousClientConfig(env.Config)
	c.BearerToken, c.QPS = env.Token(t, testenv.OutputNamespace, name), -1
	client, err := kubernetes.NewForConfig(c)
	must(t, err)
	testenv.Eventually(t, 10*time.Second, "the service may ask", func() error {
		_, err := client.AuthenticationV1().TokenReviews().Create(t.Context(), &authenticationv1.TokenReview{
			Spec: authenticationv1.TokenReviewSpec{Token: "bad"},
		}, metav1.CreateOptions{})
		return err
	})
	if _, err := client.CoreV1().Services("").List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Fatal("the identity of the service has more rights than this test is about")
	}
	return client
}

// bind gives a ServiceAccount in the output namespace a ClusterRole.
func bind(t *testing.T, env *testenv.Env, role, account string) {
	t.Helper()
	_, err := env.Client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: account + "-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: testenv.OutputNamespace, Name: account}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("binding %s to %s: %v", account, role, err)
	}
}

// authorizer asks as the client. It is new, and so remembers nothing.
func authorizer(client *kubernetes.Clientset, o server.ReviewOptions) *server.Reviewer {
	o.Namespace = testenv.OutputNamespace
	return server.NewReviewer(client.AuthenticationV1().TokenReviews(), client.AuthorizationV1().SubjectAccessReviews(), o)
}

// apiUser makes a ServiceAccount in the output namespace, with the rules there.
func apiUser(t *testing.T, env *testenv.Env, name string, rules ...rbacv1.PolicyRule) (revoke func()) {
	t.Helper()
	env.ServiceAccount(t, testenv.OutputNamespace, name)
	if len(rules) == 0 {
		return func() {}
	}
	return env.Grant(t, testenv.OutputNamespace, testenv.OutputNamespace, name, rules...)
}

func userName(account string) string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", testenv.OutputNamespace, account)
}

// audiencesOf is what the API server calls itself.
func audiencesOf(t *testing.T, env *testenv.Env, token string) []string {
	t.Helper()
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	review, err := env.Client.AuthenticationV1().TokenReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil || len(review.Status.Audiences) == 0 {
		t.Fatalf("audiences of the API server: %v %v", review, err)
	}
	return review.Status.Audiences
}
