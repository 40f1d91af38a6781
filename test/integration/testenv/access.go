//go:build integration

package testenv

import (
	"fmt"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
)

// Rule is one of a Role, as in Rule("discovery.k8s.io", "endpointslices", "get", "list", "watch"). It may be narrowed with
// ResourceNames.
func Rule(group, resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
}

// ServiceAccount makes a ServiceAccount that may do nothing yet, if it is not there, and returns the path of a kubeconfig
// with a token of it.
func (e *Env) ServiceAccount(t testing.TB, namespace, name string) string {
	t.Helper()
	accounts := e.Client.CoreV1().ServiceAccounts(namespace)
	_, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatalf("ServiceAccount %s/%s: %v", namespace, name, err)
	}
	return e.TokenKubeconfig(t, e.Config.Host, e.Config.CAData, e.Token(t, namespace, name))
}

// Token is one of the ServiceAccount, valid for an hour, for the audiences or else the API server's own.
func (e *Env) Token(t testing.TB, namespace, name string, audiences ...string) string {
	t.Helper()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: audiences, ExpirationSeconds: ptr.To[int64](3600),
	}}
	answer, err := e.Client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name, request, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("token of %s/%s: %v", namespace, name, err)
	}
	return answer.Status.Token
}

// TokenKubeconfig writes a kubeconfig for any API server, or something in front of one, and returns its path.
func (e *Env) TokenKubeconfig(t testing.TB, host string, ca []byte, token string) string {
	t.Helper()
	c := clientcmdapi.NewConfig()
	c.Clusters["test"] = &clientcmdapi.Cluster{Server: host, CertificateAuthorityData: ca}
	c.AuthInfos["test"] = &clientcmdapi.AuthInfo{Token: token}
	c.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test"}
	c.CurrentContext = "test"
	data, err := clientcmd.Write(*c)
	must(t, err)
	return e.write(t, fmt.Sprintf("token-%d.kubeconfig", e.next()), data)
}

// Grant gives the ServiceAccount rights in a namespace, or in all where that is "". The returned function takes them away
// again.
func (e *Env) Grant(t testing.TB, namespace, accountNamespace, account string, rules ...rbacv1.PolicyRule) (revoke func()) {
	t.Helper()
	meta := metav1.ObjectMeta{GenerateName: account + "-"}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: accountNamespace, Name: account}}
	rbac, ctx := e.Client.RbacV1(), t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("granting %s/%s a role in %q: %v", accountNamespace, account, namespace, err)
		}
	}
	role, err := rbac.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	check(err)
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}
	if namespace == "" {
		b, err := rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
		check(err)
		revoke = func() { check(rbac.ClusterRoleBindings().Delete(ctx, b.Name, metav1.DeleteOptions{})) }
	} else {
		b, err := rbac.RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
		check(err)
		revoke = func() { check(rbac.RoleBindings(namespace).Delete(ctx, b.Name, metav1.DeleteOptions{})) }
	}
	e.WaitForRights(t, namespace, accountNamespace, account, rules)
	return revoke
}

// WaitForRights waits until the API server acts on the rules, which it reads through a cache of its own.
func (e *Env) WaitForRights(t testing.TB, namespace, accountNamespace, account string, rules []rbacv1.PolicyRule) {
	t.Helper()
	user := fmt.Sprintf("system:serviceaccount:%s:%s", accountNamespace, account)
	for _, rule := range rules {
		for _, verb := range rule.Verbs {
			spec := authorizationv1.SubjectAccessReviewSpec{
				User: user, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + accountNamespace},
			}
			if len(rule.NonResourceURLs) > 0 {
				spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: rule.NonResourceURLs[0], Verb: verb}
			} else {
				spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
					Namespace: namespace, Verb: verb, Group: rule.APIGroups[0], Resource: rule.Resources[0],
				}
				if len(rule.ResourceNames) > 0 {
					spec.ResourceAttributes.Name = rule.ResourceNames[0]
				}
			}
			review := &authorizationv1.SubjectAccessReview{Spec: spec}
			Eventually(t, 10*time.Second, "the rights of "+user, func() error {
				answer, err := e.Client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
				if err != nil || answer.Status.Allowed {
					return err
				}
				return fmt.Errorf("not allowed to %s %v%v yet", verb, rule.Resources, rule.NonResourceURLs)
			})
		}
	}
}

// next is a number that was not given yet.
func (e *Env) next() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count++
	return e.count
}
