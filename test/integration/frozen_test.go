//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestStartWithFrozenNamespaces: a service that starts without the rights in two namespaces keeps what it knew of them. The stand-in
// for a Grafana there gets no credential, and an MCP server there goes with the trust in it.
func TestStartWithFrozenNamespaces(t *testing.T) {
	t.Attr("req", "DTS-DET-9 DTS-OUT-4 DTS-SEC-3")
	env := testenv.Shared(t)
	const home, account = "home", "limited"
	env.Namespace(t, home)
	user := env.ServiceAccount(t, home, account)
	all := []string{"get", "list", "watch", "create", "update", "patch"}
	env.Grant(t, testenv.OutputNamespace, home, account, testenv.Rule("", "configmaps", all...), testenv.Rule("coordination.k8s.io", "leases", all...),
		testenv.Rule("events.k8s.io", "events", all...))
	revoke := map[string]func(){}
	for _, namespace := range []string{"monitoring", "team", "tools"} {
		env.Namespace(t, namespace)
		revoke[namespace] = env.Grant(t, namespace, home, account, testenv.Rule("", "services", "get", "list", "watch"),
			testenv.Rule("discovery.k8s.io", "endpointslices", "list", "watch"))
	}
	env.Create(t, testenv.Service{Namespace: "monitoring", Name: "grafana", Labels: named("grafana"), Port: "http", Number: 3000})
	pause(t.Context(), time.Second+100*time.Millisecond) // ages are in seconds
	env.Create(t, testenv.Service{Namespace: "team", Name: "boards", Labels: named("grafana"), Port: "http", Number: 3000, Kind: standin.Grafana,
		Options: standin.Options{Credentials: standin.Credentials{Bearer: "secret"}}})
	env.Create(t, testenv.Service{Namespace: "tools", Name: "mcp", Port: "http", Number: 8000, Kind: standin.MCP,
		Annotations: map[string]string{"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "mcp"}})
	serve := func(trusted string) *instance {
		return serveAs(t, env, user, "--set", "discovery.namespaces=[monitoring, team, tools]", "--set", "security.trustedNamespaces="+trusted)
	}
	service := serve("[monitoring, team, tools]")
	testenv.Eventually(t, 30*time.Second, "the younger Grafana waits for the older", func() error {
		if cm := env.ConfigMap(t); cm == nil || len(amiss(cm.Data[document]+cm.Data[state], "tools/mcp", `"for": "monitoring/grafana"`, "-GRAFANA_API_KEY")) > 0 {
			return fmt.Errorf("%v", cm)
		}
		return nil
	})
	ends(t, service)
	for _, namespace := range []string{"monitoring", "tools"} {
		revoke[namespace]()
		testenv.Eventually(t, 10*time.Second, "the right is gone", func() error {
			may := env.TryKubectl(t, "", "auth", "can-i", "list", "services", "-n", namespace, "--as=system:serviceaccount:"+home+":"+account)
			if strings.TrimSpace(may.Stdout) != "no" {
				return errors.New(may.Stdout)
			}
			return nil
		})
	}

	service = serve("[monitoring, team, tools]")
	caller{service.api, ""}.becomes(t, 30*time.Second, http.MethodGet, "/api/v1/status", http.StatusOK, `"namespaces_frozen":["monitoring","tools"]`)
	caller{service.api, ""}.becomes(t, 30*time.Second, http.MethodGet, "/api/v1/services?verdict=unavailable&namespace=team", http.StatusOK, "credentials-blocked")
	testenv.Consistently(t, 4*time.Second, "nothing moves", func() error {
		if wrong := amiss(env.ConfigMap(t).Data[document], "tools/mcp", "-GRAFANA_API_KEY"); len(wrong) > 0 {
			return fmt.Errorf("not as wanted: %q", wrong)
		}
		return nil
	})
	ends(t, service)

	serve("[monitoring, team]")
	published(t, env, "the namespace is not trusted any more", "-tools/mcp", "-GRAFANA_API_KEY")
}
