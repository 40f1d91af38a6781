//go:build integration

package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

const (
	// routeCRD is as much of the Gateway API as a test needs.
	routeCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: httproutes.gateway.networking.k8s.io
  annotations: {api-approved.kubernetes.io: "unapproved, for a test"}
spec:
  group: gateway.networking.k8s.io
  names: {kind: HTTPRoute, listKind: HTTPRouteList, plural: httproutes, singular: httproute}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`
	httpRoute = `
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: tempo},
 spec: {parentRefs: [{name: gw}], hostnames: [tempo.example.com], rules: [{backendRefs: [{name: tempo, port: 3200}]}]}}
`
	// openShiftCRD is as much of OpenShift's Routes.
	openShiftCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: routes.route.openshift.io}
spec:
  group: route.openshift.io
  names: {kind: Route, listKind: RouteList, plural: routes, singular: route}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`
	openShiftRoute = `
{apiVersion: route.openshift.io/v1, kind: Route, metadata: {namespace: NS, name: tempo},
 spec: {host: NS.apps.example.com, tls: {termination: edge}, to: {kind: Service, name: tempo, weight: 100}, port: {targetPort: tempo-prom-metrics}}}
`
	ingress = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {namespace: NS, name: grafana}
spec:
  tls: [{hosts: [grafana.example.com]}]
  rules:
    - host: grafana.example.com
      http: {paths: [{path: PATH, pathType: Prefix, backend: {service: {name: grafana, port: {number: 80}}}}]}
`
)

// linked are a Grafana of ours, one of a stranger's, and a Tempo.
func linked(t *testing.T, env *testenv.Env) {
	t.Helper()
	env.Create(t, testenv.Service{Namespace: "shop", Name: "grafana", Labels: named("grafana"), Port: "http", Number: 80, Kind: standin.Grafana})
	env.Create(t, testenv.Service{Namespace: "shop", Name: "tempo", Labels: named("tempo"), Port: "tempo-prom-metrics", Number: 3200, Kind: standin.Tempo})
	env.Create(t, testenv.Service{Namespace: "evil", Name: "grafana", Labels: named("grafana"), Port: "http", Number: 80, Kind: standin.Grafana})
}

// TestLinks: with the rights that the chart gives for it, the links follow Ingresses and HTTPRoutes, of which the definition comes later
// than the service. A stranger's Ingress gives none.
func TestLinks(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-SEC-1")
	env := testenv.Start(t)
	linked(t, env)
	env.Kubectl(t, strings.NewReplacer("NS", "shop", "PATH", "/").Replace(ingress), "apply", "-f", "-")
	env.Kubectl(t, strings.NewReplacer("NS", "evil", "PATH", "/login").Replace(ingress), "apply", "-f", "-")
	i := install(t, env, right{}, "config.links.from={ingress,httproute}", "config.security.trustedNamespaces={shop}", "config.auth.mode=none")
	i.run(t)
	i.publishes(t, "name: evil/grafana")
	i.publishes(t, "external_url: https://grafana.example.com\n")
	i.says(t, "the cluster has no httproutes")
	if cm := i.configMap(t); strings.Count(cm.Data[document], "external_url") != 1 {
		t.Errorf("a stranger's link is written:\n%s", cm.Data[document])
	}
	env.Kubectl(t, routeCRD, "apply", "-f", "-")
	env.Kubectl(t, "", "wait", "--for=condition=Established", "crd/httproutes.gateway.networking.k8s.io")
	env.Kubectl(t, httpRoute, "apply", "-f", "-")
	env.Kubectl(t, strings.NewReplacer("NS", "shop", "PATH", "/grafana").Replace(ingress), "apply", "-f", "-")
	i.publishes(t, "external_url: https://grafana.example.com/grafana\n")
	i.publishes(t, "external_url: https://tempo.example.com\n")
	env.Kubectl(t, "", "-n", "shop", "delete", "ingress", "grafana")
	i.holds(t, "the link is gone with its Ingress", func(cm *corev1.ConfigMap) error {
		if strings.Contains(cm.Data[document], "grafana.example.com") {
			return errors.New("it is still there")
		}
		return has(document, "name: shop/grafana")(cm)
	})
}

// TestLinksWithoutRights: what is missing is said once, with the Role that gives it, and nothing else depends on it.
func TestLinksWithoutRights(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-DET-9")
	env := testenv.Shared(t)
	linked(t, env)
	env.Kubectl(t, strings.NewReplacer("NS", "shop", "PATH", "/").Replace(ingress), "apply", "-f", "-")
	i := install(t, env, right{"shop", "ingresses", "list"}, "config.links.from={ingress}", "config.security.trustedNamespaces={shop}",
		"config.auth.mode=none", "config.discovery.namespaces={shop,evil}")
	i.run(t)
	i.publishes(t, "name: shop/grafana")
	i.publishes(t, "name: evil/grafana")
	i.says(t, `a Role in \"shop\"`)
	if log := i.Log(t); strings.Count(log, "links not read") != 1 || !strings.Contains(log, "resources: [ingresses], verbs: [list, watch]") {
		t.Errorf("the right that is missing is not said once:\n%s", log)
	}
	if status, body := get(i.api + "/readyz"); status == 503 {
		t.Errorf("it is not ready: %s", body)
	}
	env.Grant(t, "shop", i.home, i.account, testenv.Rule("networking.k8s.io", "ingresses", "list", "watch"))
	i.publishes(t, "external_url: https://grafana.example.com\n")
}

// TestLinksOfOpenShift: Routes are links as soon as the cluster has their definition. Until then the log says once that it has none, and
// nothing else depends on it.
func TestLinksOfOpenShift(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	env := testenv.Start(t)
	linked(t, env)
	i := install(t, env, right{}, "config.links.from={route}", "config.security.trustedNamespaces={shop}", "config.auth.mode=none")
	i.run(t)
	i.publishes(t, "name: shop/tempo")
	i.says(t, "the cluster has no routes")
	time.Sleep(5 * time.Second) // in which it looks for them again
	if log := i.Log(t); strings.Count(log, "links not read") != 1 {
		t.Errorf("it says more than once that there are no Routes:\n%s", log)
	}
	env.Kubectl(t, openShiftCRD, "apply", "-f", "-")
	env.Kubectl(t, "", "wait", "--for=condition=Established", "crd/routes.route.openshift.io")
	env.Kubectl(t, strings.ReplaceAll(openShiftRoute, "NS", "evil"), "apply", "-f", "-")
	env.Kubectl(t, strings.ReplaceAll(openShiftRoute, "NS", "shop"), "apply", "-f", "-")
	i.publishes(t, "external_url: https://shop.apps.example.com\n")
	env.Kubectl(t, "", "-n", "shop", "patch", "route", "tempo", "--type=merge", "-p", `{"spec": {"host": null}}`)
	i.holds(t, "the link is gone with the host of its Route", func(cm *corev1.ConfigMap) error {
		if strings.Contains(cm.Data[document], "apps.example.com") {
			return errors.New("it is still there")
		}
		return has(document, "name: shop/tempo")(cm)
	})
}
