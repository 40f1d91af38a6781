//go:build chart

package chart

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// TestObjects: what is made of each file of values, with all the rights, is in testdata.
func TestObjects(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-SEC-1")
	each(t, func(t *testing.T, r *release) {
		var lines []string
		for _, o := range r.objects {
			name := o.GetName()
			if ns := o.GetNamespace(); ns != "" {
				name = ns + "/" + name
			}
			lines = append(lines, o.GetKind()+" "+name)
		}
		for _, o := range r.typed {
			switch role := o.(type) {
			case *rbacv1.Role:
				lines = append(lines, rules("Role "+role.Namespace+"/"+role.Name, role.Rules)...)
			case *rbacv1.ClusterRole:
				lines = append(lines, rules("ClusterRole "+role.Name, role.Rules)...)
			case *rbacv1.RoleBinding:
				lines = append(lines, bound("RoleBinding "+role.Namespace+"/"+role.Name, role.RoleRef, role.Subjects))
			case *rbacv1.ClusterRoleBinding:
				lines = append(lines, bound("ClusterRoleBinding "+role.Name, role.RoleRef, role.Subjects))
			}
		}
		sort.Strings(lines)
		golden(t, t.Name()[len("TestObjects/"):]+".golden", strings.Join(lines, "\n")+"\n")
	})
}

func rules(role string, list []rbacv1.PolicyRule) (lines []string) {
	for _, r := range list {
		what := strings.Join(r.Resources, ",")
		if r.APIGroups[0] != "" {
			what += "." + strings.Join(r.APIGroups, ",")
		}
		if len(r.ResourceNames) > 0 {
			what += " " + strings.Join(r.ResourceNames, ",")
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s", role, what, strings.Join(r.Verbs, ", ")))
	}
	return lines
}

func bound(binding string, ref rbacv1.RoleRef, subjects []rbacv1.Subject) string {
	var to []string
	for _, s := range subjects {
		to = append(to, strings.Trim(s.Kind+" "+s.Namespace+"/"+s.Name, "/"))
	}
	return fmt.Sprintf("%s: %s %s to %s", binding, ref.Kind, ref.Name, strings.Join(to, ", "))
}

// TestCertificateNames: names of one's own stand beside those of the Service, and none where the certificate is one's own.
func TestCertificateNames(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-API-3")
	all := values(t)
	for name, want := range map[string][]string{
		"default": {
			"dynamic-toolset", "dynamic-toolset.kubernaut-system", "dynamic-toolset.kubernaut-system.svc",
			"dynamic-toolset.kubernaut-system.svc.cluster.local",
		},
		"everything": {
			"dynamic-toolset", "dynamic-toolset.kubernaut-system", "dynamic-toolset.kubernaut-system.svc",
			"dynamic-toolset.kubernaut-system.svc.example.org", "toolsets.example.org", "192.0.2.10",
		},
		"tls-files": nil,
		"auth-none": nil,
	} {
		if d := cmp.Diff(want, render(t, "--values", all[name]).config.Server.TLS.Names); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestNamesAgree: what refers to something else by a name or a label means one that is there.
func TestNamesAgree(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	each(t, func(t *testing.T, r *release) {
		template, _ := r.pod(t)
		pod := labels.Set(template.Labels)
		selects := func(what string, s labels.Set) {
			t.Helper()
			if len(s) == 0 || !labels.SelectorFromSet(s).Matches(pod) {
				t.Errorf("%s selects %v, and the pod has %v", what, s, pod)
			}
		}
		deployment, service := only[*appsv1.Deployment](t, r), only[*corev1.Service](t, r)
		selects("the Deployment", deployment.Spec.Selector.MatchLabels)
		selects("the Service", service.Spec.Selector)
		for _, p := range all[*policyv1.PodDisruptionBudget](r) {
			selects("the PodDisruptionBudget", p.Spec.Selector.MatchLabels)
		}
		for _, p := range all[*networkingv1.NetworkPolicy](r) {
			selects("the NetworkPolicy", p.Spec.PodSelector.MatchLabels)
		}
		roles, accounts := map[string]bool{"ClusterRole system:auth-delegator": true}, map[string]bool{}
		for _, o := range r.typed {
			m, err := meta.Accessor(o)
			check(t, err)
			kind := o.GetObjectKind().GroupVersionKind().Kind
			clusterWide := kind == "ClusterRole" || kind == "ClusterRoleBinding"
			if clusterWide != (m.GetNamespace() == "") {
				t.Errorf("%s %s is in the namespace %q", kind, m.GetName(), m.GetNamespace())
			}
			if kind == "Role" || kind == "ClusterRole" {
				roles[kind+" "+strings.TrimPrefix(m.GetNamespace()+"/"+m.GetName(), "/")] = true
			}
			if kind == "ServiceAccount" {
				accounts[m.GetNamespace()+"/"+m.GetName()] = true
			}
			const instance, name = "app.kubernetes.io/instance", "app.kubernetes.io/name"
			if m.GetLabels()[instance] != "dynamic-toolset" || m.GetLabels()[name] != pod[name] {
				t.Errorf("%s %s lacks the labels: %v", kind, m.GetName(), m.GetLabels())
			}
		}
		if account := deployment.Namespace + "/" + template.Spec.ServiceAccountName; !accounts[account] {
			t.Errorf("the ServiceAccount %s is not made", account)
		}
		if tls := r.config.Server.TLS; tls.Mode == config.TLSSelfSigned {
			domain := service.Name + "." + service.Namespace
			clusterDomain := r.config.ClusterDomain
			if clusterDomain == "" {
				clusterDomain = "cluster.local"
			}
			for _, name := range []string{service.Name, domain, domain + ".svc", domain + ".svc." + clusterDomain} {
				if !slices.Contains(tls.Names, name) {
					t.Errorf("the certificate is for %q, without %s", tls.Names, name)
				}
			}
		}
		for _, b := range bindings(r) {
			name := b.ref.Name
			if b.ref.Kind == "Role" {
				name = b.namespace + "/" + name
			}
			if !roles[b.ref.Kind+" "+name] {
				t.Errorf("%s is bound and not made", name)
			}
			if s := b.subjects[0]; strings.Contains(b.name, "-viewer") || strings.Contains(b.name, "-discoverer") {
				continue
			} else if len(b.subjects) != 1 || !accounts[s.Namespace+"/"+s.Name] {
				t.Errorf("%s is bound to %v", name, b.subjects)
			}
		}
	})
}

type binding struct {
	name, namespace string
	ref             rbacv1.RoleRef
	subjects        []rbacv1.Subject
}

func bindings(r *release) (list []binding) {
	for _, b := range all[*rbacv1.RoleBinding](r) {
		list = append(list, binding{b.Name, b.Namespace, b.RoleRef, b.Subjects})
	}
	for _, b := range all[*rbacv1.ClusterRoleBinding](r) {
		list = append(list, binding{b.Name, "", b.RoleRef, b.Subjects})
	}
	return list
}

// TestRights: whatever the values, nothing is granted on Secrets, Pods or Namespaces or by a star, and what is written is
// named.
func TestRights(t *testing.T) {
	t.Attr("req", "DTS-SEC-1")
	each(t, func(t *testing.T, r *release) {
		grant := func(o runtime.Object, namespace string, list []rbacv1.PolicyRule) {
			t.Helper()
			for _, rule := range list {
				what := fmt.Sprintf("%T: %v %v", o, rule.Resources, rule.Verbs)
				for _, s := range slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs) {
					if strings.Contains(s, "*") || slices.Contains([]string{"secrets", "pods", "namespaces", "delete", "deletecollection"}, s) {
						t.Errorf("%s: %s is granted", what, s)
					}
				}
				switch rule.Resources[0] {
				case "configmaps":
					if !slices.Equal(rule.ResourceNames, []string{r.config.Output.ConfigMap}) || namespace != r.config.Output.Namespace {
						t.Errorf("%s of %v in %s", what, rule.ResourceNames, namespace)
					}
				case "leases":
					if !slices.Equal(rule.ResourceNames, []string{r.config.LeaderElection.LeaseName}) || namespace != r.config.Output.Namespace {
						t.Errorf("%s of %v in %s", what, rule.ResourceNames, namespace)
					}
				}
			}
		}
		watched := []string{}
		for _, role := range all[*rbacv1.Role](r) {
			grant(role, role.Namespace, role.Rules)
			if role.Rules[0].Resources[0] == "services" && role.Rules[0].APIGroups[0] == "" {
				watched = append(watched, role.Namespace)
			}
		}
		for _, role := range all[*rbacv1.ClusterRole](r) {
			grant(role, "", role.Rules)
		}
		if namespaces := r.config.Discovery.Namespaces; len(namespaces) > 0 {
			if !slices.Equal(watched, namespaces) {
				t.Errorf("Services may be watched in %v, want %v", watched, namespaces)
			}
			if n := len(all[*rbacv1.ClusterRole](r)); n > 0 {
				t.Errorf("%d ClusterRoles where Roles are enough", n)
			}
		}
		delegates := slices.ContainsFunc(bindings(r), func(b binding) bool { return b.ref.Name == "system:auth-delegator" })
		if want := r.config.Auth.Mode == "kubernetes"; delegates != want {
			t.Errorf("system:auth-delegator is bound: %t, want %t", delegates, want)
		}
	})
}
