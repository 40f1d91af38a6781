//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// define makes a kind of custom resources, with as much of its definition as a test needs.
func define(t *testing.T, env *testenv.Env, group, kind string) {
	t.Helper()
	one := strings.ToLower(kind)
	env.Kubectl(t, strings.NewReplacer("GROUP", group, "KIND", kind, "ONE", one).Replace(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ONEs.GROUP, annotations: {api-approved.kubernetes.io: "unapproved, for a test"}}
spec:
  group: GROUP
  names: {kind: KIND, listKind: KINDList, plural: ONEs, singular: ONE}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`), "apply", "-f", "-")
	env.Kubectl(t, "", "wait", "--for=condition=Established", "crd/"+one+"s."+group)
}

// ingress leads from a host and a path to the Grafana of a namespace.
func ingress(t *testing.T, env *testenv.Env, namespace, path string) {
	t.Helper()
	env.Kubectl(t, strings.NewReplacer("NS", namespace, "PATH", path).Replace(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {namespace: NS, name: grafana}
spec:
  tls: [{hosts: [grafana.example.com]}]
  rules:
    - host: grafana.example.com
      http: {paths: [{path: PATH, pathType: Prefix, backend: {service: {name: grafana, port: {number: 80}}}}]}
`), "apply", "-f", "-")
}

// They lead to a Tempo each: one Service that changed its link so often would be held back.
const (
	httpRoute = `
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: tempo},
 spec: {parentRefs: [{name: gw}], hostnames: [tempo.example.com], rules: [{backendRefs: [{name: tempo, port: 3200}]}]}}
`
	openShiftRoute = `
{apiVersion: route.openshift.io/v1, kind: Route, metadata: {namespace: NS, name: tempo},
 spec: {host: NS.apps.example.com, tls: {termination: edge}, to: {kind: Service, name: tempo-two, weight: 100}, port: {targetPort: tempo-prom-metrics}}}
`
)

// linked are a Grafana of ours, one of a stranger's, and two Tempos.
func linked(t *testing.T, env *testenv.Env) {
	t.Helper()
	env.Create(t, testenv.Service{Namespace: "shop", Name: "grafana", Labels: named("grafana"), Port: "http", Number: 80, Kind: standin.Grafana})
	for _, name := range []string{"tempo", "tempo-two"} {
		env.Create(t, testenv.Service{Namespace: "shop", Name: name, Labels: named("tempo"), Port: "tempo-prom-metrics", Number: 3200, Kind: standin.Tempo})
	}
	env.Create(t, testenv.Service{Namespace: "evil", Name: "grafana", Labels: named("grafana"), Port: "http", Number: 80, Kind: standin.Grafana})
}

// TestLinks: with the rights that the chart gives for it, the links follow Ingresses, and HTTPRoutes and OpenShift's Routes as soon
// as the cluster has their definitions. Until then the log says once that it has none. A stranger's Ingress gives no link.
func TestLinks(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-SEC-1")
	env := testenv.Start(t)
	linked(t, env)
	ingress(t, env, "shop", "/")
	ingress(t, env, "evil", "/login")
	i := install(t, env, right{}, "config.links.from={ingress,httproute,route}", "config.security.trustedNamespaces={shop}",
		"config.auth.mode=none")
	i.run(t)
	i.publishes(t, "name: evil/grafana\n", "name: shop/tempo\n", "external_url: https://grafana.example.com\n")
	if cm := i.configMap(t); strings.Count(cm.Data[document], "external_url") != 1 {
		t.Errorf("a stranger's link is written:\n%s", cm.Data[document])
	}
	i.says(t, "the cluster has no httproutes", "the cluster has no routes")
	testenv.Consistently(t, 5*time.Second, "it looks for both again, and says once that there are none", func() error {
		if n := strings.Count(i.Log(t), "links not read"); n != 2 {
			return fmt.Errorf("%d times", n)
		}
		return nil
	})

	define(t, env, "gateway.networking.k8s.io", "HTTPRoute")
	define(t, env, "route.openshift.io", "Route")
	env.Kubectl(t, httpRoute, "apply", "-f", "-")
	ingress(t, env, "shop", "/grafana")
	i.publishes(t, "external_url: https://grafana.example.com/grafana\n", "external_url: https://tempo.example.com\n")
	env.Kubectl(t, "", "-n", "shop", "delete", "ingress", "grafana")
	i.publishes(t, "name: shop/grafana\n", "-grafana.example.com")

	for _, namespace := range []string{"evil", "shop"} {
		env.Kubectl(t, strings.ReplaceAll(openShiftRoute, "NS", namespace), "apply", "-f", "-")
	}
	i.publishes(t, "external_url: https://shop.apps.example.com\n", "-evil.apps")
	env.Kubectl(t, "", "-n", "shop", "patch", "route", "tempo", "--type=merge", "-p", `{"spec": {"host": null}}`)
	i.publishes(t, "name: shop/tempo-two\n", "-apps.example.com")
}

// TestLinksWithoutRights: what is missing is said once, with the Role that gives it, and nothing else depends on it.
func TestLinksWithoutRights(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-DET-9")
	env := testenv.Shared(t)
	linked(t, env)
	ingress(t, env, "shop", "/")
	i := install(t, env, right{"shop", "ingresses", "list"}, "config.links.from={ingress}", "config.security.trustedNamespaces={shop}",
		"config.auth.mode=none", "config.discovery.namespaces={shop,evil}")
	i.run(t)
	i.publishes(t, "name: shop/grafana", "name: evil/grafana")
	i.says(t, `a Role in \"shop\"`, "resources: [ingresses], verbs: [list, watch]")
	if log := i.Log(t); strings.Count(log, "links not read") != 1 {
		t.Errorf("the right that is missing is not said once:\n%s", log)
	}
	i.answers(t, 20*time.Second, "/readyz", http.StatusOK)
	env.Grant(t, "shop", i.home, i.account, testenv.Rule("networking.k8s.io", "ingresses", "list", "watch"))
	i.publishes(t, "external_url: https://grafana.example.com\n")
}
