//go:build integration

package integration

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// caller asks the API as somebody with a token; "" is nobody.
type caller struct {
	url, token string
}

func (c caller) do(t *testing.T, method, path string) (code int, body string, header http.Header) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, http.NoBody)
	must(t, err)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error(), nil
	}
	return res.StatusCode, string(text), res.Header
}

func (c caller) wants(t *testing.T, what, method, path string, want int) (body string) {
	t.Helper()
	code, body, header := c.do(t, method, path)
	if code != want {
		t.Fatalf("%s: %s %s: %d, want %d: %s", what, method, path, code, want, body)
	}
	if id := header.Get("X-Request-Id"); strings.HasPrefix(path, "/api/") && (id == "" || want >= 400 && !strings.Contains(body, id)) {
		t.Errorf("%s: no request id: %v %s", what, header, body)
	}
	return body
}

// becomes asks until the answer has the status and the texts.
func (c caller) becomes(t *testing.T, timeout time.Duration, method, path string, want int, texts ...string) {
	t.Helper()
	testenv.Eventually(t, timeout, fmt.Sprintf("%s %s is answered with %d and %q", method, path, want, texts), func() error {
		if code, body, _ := c.do(t, method, path); code != want || len(amiss(body, texts...)) > 0 {
			return fmt.Errorf("%d %s", code, body)
		}
		return nil
	})
}

// TestAPI asks the running program, which asks the cluster who may ask.
func TestAPI(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-API-2 DTS-API-3")
	env := testenv.Start(t)
	env.Create(t, prometheusIn("monitoring", "prometheus"))
	env.Create(t, testenv.Service{Namespace: "shop", Name: "checkout", Port: "http", Number: 8080})
	service := start(t, env, "--set", "auth.mode=kubernetes", "--set", "server.tls.mode=self-signed")
	published(t, env, "the Prometheus is published", "monitoring/prometheus")
	url := "https://" + strings.TrimPrefix(service.api, "http://")

	const get, post = http.MethodGet, http.MethodPost
	all := []rbacv1.PolicyRule{
		testenv.Rule(server.APIGroup, server.ResourceToolsets, "get", "list", "watch"), testenv.Rule(server.APIGroup, server.ResourceServices, "get", "list"),
		testenv.Rule(server.APIGroup, server.ResourceDiscoveries, "create"),
	}
	revoke := apiUser(t, env, "person", all...)
	apiUser(t, env, "stranger")
	apiUser(t, env, "viewer", all[:2]...)
	env.Grant(t, "", testenv.OutputNamespace, "viewer", scrapes())
	as := func(account string) caller {
		return caller{url, env.Token(t, testenv.OutputNamespace, account, server.Audience)}
	}
	person := as("person")
	person.becomes(t, 20*time.Second, get, "/readyz", http.StatusOK)

	t.Run("who may ask", func(t *testing.T) {
		nobody, stranger, viewer := caller{url, ""}, as("stranger"), as("viewer")
		for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/"} {
			nobody.wants(t, "open to all", get, path, http.StatusOK)
		}
		for _, path := range []string{"status", "toolsets", "services", "services/monitoring/prometheus", "document", "changes", "stream", "toolsets/prometheus/metrics"} {
			nobody.wants(t, "no token", get, "/api/v1/"+path, http.StatusUnauthorized)
			caller{url, "rubbish"}.wants(t, "a bad token", get, "/api/v1/"+path, http.StatusUnauthorized)
			if body := stranger.wants(t, "no rights", get, "/api/v1/"+path, http.StatusForbidden); !strings.Contains(body, server.APIGroup) {
				t.Errorf("what is missing is not told: %s", body)
			}
			if path != "stream" {
				viewer.wants(t, "rights", get, "/api/v1/"+path, http.StatusOK)
			}
		}
		viewer.wants(t, "no right to discover", post, "/api/v1/discover", http.StatusForbidden)
		person.wants(t, "the right to discover", post, "/api/v1/discover", http.StatusOK)
		metrics := func(who caller) caller {
			return caller{"https://" + strings.TrimPrefix(service.metrics, "http://"), who.token}
		}
		metrics(nobody).wants(t, "metrics without a token", get, "/metrics", http.StatusUnauthorized)
		metrics(person).wants(t, "metrics without the right", get, "/metrics", http.StatusForbidden)
		metrics(viewer).becomes(t, 15*time.Second, get, "/metrics", http.StatusOK, "dynamictoolset_build_info")
	})

	t.Run("what is told", func(t *testing.T) {
		var list struct {
			Services []struct {
				Namespace, Name, Type, Verdict, Reason string
				Healthy                                *bool
			}
			Count int
		}
		must(t, json.Unmarshal([]byte(person.wants(t, "Services", get, "/api/v1/services?namespace=monitoring&type=prometheus", http.StatusOK)), &list))
		if list.Count != 1 || list.Services[0].Verdict != "accepted" || list.Services[0].Healthy == nil || !*list.Services[0].Healthy {
			t.Errorf("%+v", list)
		}
		// A Service that is nothing is read live to be explained.
		if body := person.wants(t, "a Service that is nothing", get, "/api/v1/services/shop/checkout", http.StatusOK); !strings.Contains(body, "nothing about it looks like a known backend") || !strings.Contains(body, "8080") {
			t.Errorf("%s", body)
		}
		person.wants(t, "a Service that is not there", get, "/api/v1/services/shop/nothing", http.StatusNotFound)
		var doc struct {
			Keys map[string]string `json:"keys"`
		}
		must(t, json.Unmarshal([]byte(person.wants(t, "the document", get, "/api/v1/document", http.StatusOK)), &doc))
		if cm := env.ConfigMap(t); doc.Keys[document] != cm.Data[document] {
			t.Errorf("the API's document is not the ConfigMap's: %s", doc.Keys[document])
		}
	})

	t.Run("a follower", func(t *testing.T) {
		follower := start(t, env, "--set", "server.tls.mode=off")
		caller{follower.api, ""}.becomes(t, 20*time.Second, post, "/api/v1/discover", http.StatusOK, `"leader":false`, "prometheus")
	})

	t.Run("a right is taken away", func(t *testing.T) {
		person.wants(t, "before", get, "/api/v1/services", http.StatusOK)
		revoke()
		person.becomes(t, 75*time.Second, get, "/api/v1/services", http.StatusForbidden)
	})

	t.Run("the API server is away", func(t *testing.T) {
		viewer := as("viewer")
		fresh := as("viewer") // a token that was never seen
		viewer.wants(t, "a known token", get, "/api/v1/services", http.StatusOK)
		viewer.wants(t, "a known token", get, "/api/v1/status", http.StatusOK)
		env.APIServer.Kill(t)
		viewer.wants(t, "a known token, for a minute", get, "/api/v1/services", http.StatusOK)
		fresh.wants(t, "a token that nobody can review", get, "/api/v1/services", http.StatusServiceUnavailable)
		viewer.becomes(t, 40*time.Second, get, "/api/v1/status", http.StatusOK, "cannot be reached")
		env.APIServer.Start(t)
		fresh.becomes(t, 30*time.Second, get, "/api/v1/services", http.StatusOK)
	})
}
